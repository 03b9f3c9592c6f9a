// Package utf8text reads texts that other programs have written in other encodings.
package utf8text

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf16"
)

// Read reads a text of at most so many bytes, and returns it as Of does. It fails on a longer one.
func Read(from io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > most:
		return nil, fmt.Errorf("it is longer than %d bytes", most)
	}
	return Of(text), nil
}

// Of returns a text in UTF-8 without a byte order mark. A text is in UTF-16 if it begins with the
// mark of that, as what Windows PowerShell redirects into a file does.
func Of(text []byte) []byte {
	switch {
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}):
		return fromUTF16(text[2:], binary.LittleEndian)
	case bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		return fromUTF16(text[2:], binary.BigEndian)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff"))
}

func fromUTF16(text []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = order.Uint16(text[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}
