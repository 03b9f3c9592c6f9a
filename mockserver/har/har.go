// Package har reads HTTP archives (HAR 1.2): recorded requests with their answers, as browsers, proxies
// and the journal of the mock export them. Its types are also what an archive is encoded from, as JSON.
package har

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/llama-orch/node-registration/internal/utf8text"
	"github.com/llama-orch/node-registration/internal/wrongtype"
)

// File is an archive. Read passes over what is in it beyond these fields, and what has another type in
// those that neither HTTPRequest nor HTTPResponse reads.
type File struct {
	Log Log `json:"log"`
}

// Log is what an archive holds.
type Log struct {
	Version string  `json:"version"`
	Creator Creator `json:"creator"`
	Entries []Entry `json:"entries"`
}

// Creator is the program that made an archive.
type Creator struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Entry is a request and its answer.
type Entry struct {
	Started  time.Time `json:"startedDateTime"`
	Time     float64   `json:"time"` // milliseconds
	Request  Request   `json:"request"`
	Response Response  `json:"response"`
	Cache    struct{}  `json:"cache"`
	Timings  Timings   `json:"timings"`
	Comment  string    `json:"comment,omitempty"`
	// Encoded says that bodies are as they were sent, such as compressed ones. Archives hold them
	// decoded, apart from those of the mock. With another type the field is another program's, and is
	// passed over.
	Encoded bool `json:"_encoded,omitempty"`
}

// Request is a recorded request.
type Request struct {
	Method      string    `json:"method"`
	URL         string    `json:"url"`
	HTTPVersion string    `json:"httpVersion"`
	Cookies     []Pair    `json:"cookies"`
	Headers     []Pair    `json:"headers"`
	QueryString []Pair    `json:"queryString"`
	PostData    *PostData `json:"postData,omitempty"`
	HeadersSize int       `json:"headersSize"` // bytes, or -1
	BodySize    int64     `json:"bodySize"`    // bytes, or -1
}

// PostData is the body of a request, as far as it was recorded.
type PostData struct {
	MimeType string `json:"mimeType"`
	Params   []Pair `json:"params"`
	Text     string `json:"text"`
}

// Response is a recorded answer. One that was never given has status 0.
type Response struct {
	Status      int     `json:"status"`
	StatusText  string  `json:"statusText"`
	HTTPVersion string  `json:"httpVersion"`
	Cookies     []Pair  `json:"cookies"`
	Headers     []Pair  `json:"headers"`
	Content     Content `json:"content"`
	RedirectURL string  `json:"redirectURL"`
	HeadersSize int     `json:"headersSize"` // bytes, or -1
	BodySize    int64   `json:"bodySize"`    // bytes, or -1
}

// Content is the body of an answer, as far as it was recorded.
type Content struct {
	Size     int64  `json:"size"` // bytes, or -1
	MimeType string `json:"mimeType"`
	Text     string `json:"text,omitempty"`
	Encoding string `json:"encoding,omitempty"` // base64, or "" for a text
}

// Timings are the parts of the time, in milliseconds.
type Timings struct {
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
}

// Pair is a name and a value.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// most is how many bytes an archive may have, which is held in memory whole.
const most = 1 << 30

// Read reads an archive of at most 1 GiB. A longer one is an error.
func Read(from io.Reader) (File, error) {
	text, err := utf8text.Read(from, most)
	if err != nil {
		return File{}, fmt.Errorf("HTTP archive: %w", err)
	}
	var file archive
	err = json.Unmarshal(text, &file)
	if errors.As(err, new(*json.UnmarshalTypeError)) { // the rest was read all the same
		err = json.Unmarshal(text, new(needed))
	}
	if err != nil {
		return File{}, fmt.Errorf("not an HTTP archive: %w", wrongtype.Explain(err))
	}
	if file.Log.Version == "" && file.Log.Entries == nil {
		return File{}, errors.New("not an HTTP archive: there is no log in it")
	}
	read := File{file.Log.Log}
	for _, each := range file.Log.Entries {
		each.Entry.Started = each.started()
		read.Log.Entries = append(read.Log.Entries, each.Entry)
	}
	return read, nil
}

// archive is an archive as programs write it.
type archive struct {
	Log struct {
		Log
		Entries []entry `json:"entries"`
	} `json:"log"`
}

// needed is what has to have its type in an archive. Programs differ in the rest, and in their own fields.
type needed struct {
	Log struct {
		Entries []struct {
			Request struct {
				Method   string `json:"method"`
				URL      string `json:"url"`
				Headers  []Pair `json:"headers"`
				PostData struct {
					MimeType string `json:"mimeType"`
					Text     string `json:"text"`
				} `json:"postData"`
				BodySize int64 `json:"bodySize"`
			} `json:"request"`
			Response struct {
				Status   int     `json:"status"`
				Headers  []Pair  `json:"headers"`
				Content  Content `json:"content"`
				BodySize int64   `json:"bodySize"`
			} `json:"response"`
		} `json:"entries"`
	} `json:"log"`
}

// entry is an entry whose time is read by itself: nothing depends on it, and programs differ in
// how they write it.
type entry struct {
	Entry
	Started json.RawMessage `json:"startedDateTime"`
}

// started returns the time of the entry, the zero time if it cannot be read.
func (e entry) started() time.Time {
	var text string
	_ = json.Unmarshal(e.Started, &text)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	return time.Time{}
}
