#!/bin/sh
# Whether the process of this container lives: its event loop has renewed HEALTH_FILE within the last minute.
# Whether the API can serve is another question: GET /readyz.
file=${HEALTH_FILE:-/tmp/health}
if [ -n "$(find "$file" -mmin -1 2>/dev/null)" ]; then exit 0; fi
echo "$file was not renewed within a minute: the process hangs or has not begun"
exit 1
