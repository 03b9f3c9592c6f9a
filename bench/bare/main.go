// Command bare is what net/http can do at most: it reads the body and answers the same
// to every request.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`host:port` to listen on")
	answer := flag.String("answer", "", "the `body` of every answer")
	flag.Parse()
	body := []byte(*answer + "\n")
	log.Fatal(http.ListenAndServe(*addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the client has gone
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Correlation-Id", "4f1c9d2e-7a30-4b8e-9c55-0d6f1a2b3c4d")
		_, _ = w.Write(body)
	})))
}
