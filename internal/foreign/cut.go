package foreign

// Cut returns the first characters of a text that has more than most of them, with an ellipsis as
// the last. Of a long text it reads no more than it returns.
func Cut(text string, most int) string {
	count, end := 0, 0
	for at := range text {
		switch count++; {
		case count == most:
			end = at
		case count > most:
			return text[:end] + "…"
		}
	}
	return text
}
