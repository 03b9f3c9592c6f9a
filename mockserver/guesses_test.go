package mockserver_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
)

// TestGuesses sends wrong control tokens. The first few are answered at once, the others
// one a second; a right one from there waits likewise, one from elsewhere does not.
func TestGuesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock, err := mockserver.New(mockserver.WithControlToken("right"))
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		try := func(address, token string) (status int, took time.Duration) {
			r := httptest.NewRequest(http.MethodGet, "http://localhost/__mock/clock", nil)
			r.RemoteAddr = address
			r.Header.Set("Authorization", "Bearer "+token)
			answer, began := httptest.NewRecorder(), time.Now()
			mock.ServeHTTP(answer, r)
			return answer.Code, time.Since(began)
		}
		expect := func(address, token string, status int, took time.Duration) {
			t.Helper()
			if s, d := try(address, token); s != status || d != took {
				t.Errorf("%s from %s: status %d after %s, want %d after %s", token, address, s, d, status, took)
			}
		}
		for range 100 {
			expect("192.0.2.1:1", "right", http.StatusOK, 0)
		}
		for range 10 {
			expect("192.0.2.1:1", "wrong", http.StatusUnauthorized, 0)
		}
		expect("192.0.2.1:2", "wrong", http.StatusUnauthorized, time.Second)
		expect("192.0.2.1:3", "right", http.StatusOK, time.Second)
		expect("192.0.2.2:3", "right", http.StatusOK, 0)

		refused := make(chan bool)
		for range 100 {
			go func() {
				status, _ := try("192.0.2.1:1", "wrong")
				refused <- status == http.StatusTooManyRequests
			}()
		}
		count := 0
		for range 100 {
			if <-refused {
				count++
			}
		}
		if count < 90 {
			t.Errorf("of 100 at once, %d are refused", count)
		}
		time.Sleep(time.Minute)
		expect("192.0.2.1:1", "right", http.StatusOK, 0)
	})
}
