// Package utf8text reads texts that other programs have written in other encodings.
package utf8text

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

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
