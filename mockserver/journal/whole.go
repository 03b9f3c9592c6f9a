package journal

// whole repairs truncated JSON: it drops the incomplete last value and closes all brackets.
// Complete JSON stays as it is; other text is not made JSON.
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
