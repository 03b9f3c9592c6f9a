// Package stdout keeps C libraries from writing to the standard output of a program.
package stdout
