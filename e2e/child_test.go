package e2e

const childVariable = "E2E_CHILD"

func child(string) error { return nil }
