// Ipvsstate shows what is in a Linux Virtual Server director's connection table, by
// state, and what each state means.
package main

import (
	"context"
	"os"
)

func main() { os.Exit(run(context.Background(), newApp(), os.Args[1:])) }
