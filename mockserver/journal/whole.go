package journal

// whole makes of JSON that was cut off somewhere JSON that ends after the last value that
// is whole. JSON that is whole stays as it is, and of what is no JSON nothing better
// comes.
func whole(text []byte) []byte {
	var open []byte // the brackets that are to close, the innermost last
	end, depth := 0, 0
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			open = append(open, '}')
		case c == '[':
			open = append(open, ']')
		case c == '}' || c == ']':
			open = open[:max(len(open)-1, 0)]
			end, depth = i+1, len(open)
		case c == ',':
			end, depth = i, len(open)
		}
	}
	if len(open) == 0 {
		return text
	}
	closed := append([]byte(nil), text[:end]...)
	for depth > 0 {
		depth--
		closed = append(closed, open[depth])
	}
	return closed
}
