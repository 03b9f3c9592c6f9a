package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Place returns the line and the column behind the value that a pointer leads to in a JSON text,
// or behind the innermost value that is there. Both count from 1, columns in bytes.
func Place(text []byte, pointer string) (line, column int) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	seek(decoder, strings.Split(pointer, "/")[1:])
	before := text[:decoder.InputOffset()]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - 1 - bytes.LastIndexByte(before, '\n')
}

// seek reads up to the end of the value that the steps of a pointer lead to.
func seek(decoder *json.Decoder, steps []string) {
	if len(steps) == 0 {
		_ = decoder.Decode(new(json.RawMessage)) // the text is JSON
		return
	}
	open, err := decoder.Token()
	if _, nested := open.(json.Delim); !nested || err != nil {
		return
	}
	for i := 0; decoder.More(); i++ {
		step := strconv.Itoa(i)
		if open == json.Delim('{') {
			name, _ := decoder.Token()
			step = Step(fmt.Sprint(name))
		}
		if step == steps[0] {
			seek(decoder, steps[1:])
			return
		}
		_ = decoder.Decode(new(json.RawMessage))
	}
	_, _ = decoder.Token()
}
