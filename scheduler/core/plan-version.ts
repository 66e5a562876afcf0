// Which rules of planning these are. Raise it with every change after which the same snapshot may lead to another plan:
// decisions kept by other rules cannot be decided again by these.

export const PLAN_VERSION = 2;
