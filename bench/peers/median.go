package main

import (
	"fmt"
	"slices"
	"time"
)

// each returns one figure of every round.
func (r *result) each(figure func(round) float64) (figures []float64) {
	for _, round := range r.Rounds {
		figures = append(figures, figure(round))
	}
	return figures
}

// against returns one figure of every round as a multiple of another contestant's in the
// same round.
func (r *result) against(other *result, figure func(round) float64) (figures []float64) {
	for i, round := range r.Rounds[:min(len(r.Rounds), len(other.Rounds))] {
		figures = append(figures, figure(round)/figure(other.Rounds[i]))
	}
	return figures
}

func durations(all []time.Duration) (figures []float64) {
	for _, d := range all {
		figures = append(figures, ms(d))
	}
	return figures
}

// spreadOf writes the median of figures and, where they differ, the lowest and the
// highest.
func spreadOf(figures []float64, format, unit string) string {
	if len(figures) == 0 {
		return "–"
	}
	sorted := slices.Sorted(slices.Values(figures))
	text := fmt.Sprintf(format, median(sorted)) + unit
	if sorted[0] != sorted[len(sorted)-1] {
		text += fmt.Sprintf(" ("+format+"–"+format+")", sorted[0], sorted[len(sorted)-1])
	}
	return text
}

func median(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}
