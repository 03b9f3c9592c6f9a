package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// report is all that was measured, in one run.
type report struct {
	Machine   []string
	Settings  string
	Scenarios []scenarioReport
}

type scenarioReport struct {
	scenario
	Results []*result
}

// save writes the report as JSON: durations in nanoseconds, memory in bytes.
func (r report) save(file string) error {
	if file == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// print writes the report as Markdown.
func (r report) print(w io.Writer) {
	for _, scenario := range r.Scenarios {
		fmt.Fprintf(w, "### %s\n\n", scenario.Title)
		scenario.printLoad(w)
		scenario.printFootprint(w)
		scenario.printAnswers(w)
		scenario.printRemarks(w)
	}
	fmt.Fprintf(w, "Figures are medians (lowest–highest); %s.\n", r.Settings)
	fmt.Fprint(w, "Answers in bold are not what the document asks for; in italics, a refusal by another status.\n\n")
	for _, line := range r.Machine {
		fmt.Fprintf(w, "- %s\n", line)
	}
}

func (s scenarioReport) printLoad(w io.Writer) {
	measured := s.measured()
	if len(measured) == 0 {
		return
	}
	table := [][]string{{"", "requests/s", "against row 1", "p50", "p99", "CPU per request", "against row 1"}}
	for _, r := range measured {
		table = append(table, []string{
			r.Name,
			spreadOf(r.each(func(r round) float64 { return r.PerSecond }), "%.0f", ""),
			spreadOf(r.against(measured[0], func(r round) float64 { return r.PerSecond }), "%.2f", ""),
			spreadOf(r.each(func(r round) float64 { return ms(r.P50) }), "%.2f", " ms"),
			spreadOf(r.each(func(r round) float64 { return ms(r.P99) }), "%.2f", " ms"),
			spreadOf(r.each(func(r round) float64 { return ms(r.CPU) * 1000 }), "%.1f", " µs"),
			spreadOf(r.against(measured[0], func(r round) float64 { return ms(r.CPU) }), "%.2f", ""),
		})
	}
	printTable(w, table)
}

func (s scenarioReport) printFootprint(w io.Writer) {
	table := [][]string{{"", "first answer after", "RSS idle", "PSS idle", "RSS under load", "PSS under load"}}
	for _, r := range s.measured() {
		table = append(table, []string{
			r.Name,
			spreadOf(durations(r.Starts), "%.0f", " ms"),
			spreadOf([]float64{mb(r.Idle.RSS)}, "%.1f", " MB"),
			spreadOf([]float64{mb(r.Idle.PSS)}, "%.1f", " MB"),
			spreadOf(r.each(func(r round) float64 { return mb(r.Memory.RSS) }), "%.1f", " MB"),
			spreadOf(r.each(func(r round) float64 { return mb(r.Memory.PSS) }), "%.1f", " MB"),
		})
	}
	printTable(w, table)
}

// printAnswers shows who refuses what, below what the document asks for.
func (s scenarioReport) printAnswers(w io.Writer) {
	head, wanted := []string{"answer to"}, []string{"the document asks for"}
	for _, check := range s.Request.Checks {
		head = append(head, check.Name)
		wanted = append(wanted, strconv.Itoa(check.Status))
	}
	table := [][]string{head, wanted}
	for _, r := range s.measured() {
		row := []string{r.Name}
		for i, status := range r.Answers {
			row = append(row, emphasize(status, s.Request.Checks[i].Status))
		}
		table = append(table, row)
	}
	printTable(w, table)
}

// emphasize sets a status in bold where it accepts what is to be refused, or the other way round. It
// uses italics where the request is refused for another reason than it should be.
func emphasize(status, want int) string {
	text := strconv.Itoa(status)
	switch {
	case status == want:
		return text
	case status < 400 || want < 400:
		return "**" + text + "**"
	default:
		return "*" + text + "*"
	}
}

// printRemarks says what the tables do not show.
func (s scenarioReport) printRemarks(w io.Writer) {
	first := s.Results[0]
	for _, r := range s.Results {
		if r.Skipped != "" {
			fmt.Fprintf(w, "%s was not measured: %s.\n\n", r.Name, r.Skipped)
		}
		if more := r.contestant.nodes - first.contestant.nodes; r.Skipped == "" && first.Skipped == "" && more > 0 {
			fmt.Fprintf(w,
				"%s: %d bytes of RSS for each node, of 8 GPUs, that row 1 does not have, before the load.\n\n",
				r.Name, (r.Loaded.RSS-first.Loaded.RSS)/int64(more))
		}
		for i, round := range r.Rounds {
			if round.Refused+round.Failed > 0 {
				fmt.Fprintf(w, "%s, round %d: of %d requests %d were refused, and %d more not answered.\n\n",
					r.Name, i+1, round.Requests, round.Refused, round.Failed)
			}
		}
	}
}

func (s scenarioReport) measured() (measured []*result) {
	for _, r := range s.Results {
		if r.Skipped == "" {
			measured = append(measured, r)
		}
	}
	return measured
}

func printTable(w io.Writer, rows [][]string) {
	for i, row := range rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|---|%s\n", strings.Repeat("---:|", len(row)-1))
		}
	}
	fmt.Fprintln(w)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }
