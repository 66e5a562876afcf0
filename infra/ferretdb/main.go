// Command ferretdb serves MongoDB's protocol on a loopback port for tests, with data in one folder.
// It must never outlive the process that started it: it ends when its standard input is closed.
//
// By hand, for development: mkdir -p /tmp/mongo && go run -tags ferretdb_no_postgresql . -data /tmp/mongo
// prints the URL for MONGODB_URL and runs until Ctrl-C or Ctrl-D.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	data := flag.String("data", "", "folder for the databases; it must exist")
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	flag.Parse()
	if *data == "" {
		fail("-data is missing")
	}
	folder := url.URL{
		Scheme: "file",
		Opaque: (&url.URL{Path: *data + "/"}).EscapedPath(),
		// Test data need not survive a power cut.
		RawQuery: url.Values{"_pragma": {"synchronous(off)"}}.Encode(),
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: "127.0.0.1:0"},
		Handler:   "sqlite",
		SQLiteURL: folder.String(),
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		fail(err.Error())
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		// The other end of the pipe closes with the parent, even when that is killed.
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	go func() {
		behind, err := url.Parse(server.MongoDBURI())
		if err != nil {
			fail(err.Error())
		}
		front, err := net.Listen("tcp", *listen)
		if err != nil {
			fail(err.Error())
		}
		// The one line on standard output: where it listens.
		fmt.Printf("mongodb://%s/\n", front.Addr())
		serveInTurn(front, behind.Host)
	}()
	if err := server.Run(ctx); err != nil {
		fail(err.Error())
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "ferretdb: "+message)
	os.Exit(1)
}
