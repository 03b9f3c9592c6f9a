package settings

import (
	"errors"
	"fmt"
	"time"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
)

// CheckToken returns what is wrong with a token, if anything is.
func CheckToken(token string) error {
	doc := spec.Control()
	schema := doc.Schema("SettingsChange").Properties["tokens"].Value.Items.Value
	if wrong := doc.Check(schema, token); wrong != nil {
		return errors.New(wrong[0].Detail)
	}
	return nil
}

// CheckInterval returns what is wrong with an interval, by the name of its schema.
func CheckInterval(schema string, interval time.Duration) error {
	doc := spec.Control()
	if wrong := doc.Check(doc.Schema(schema), interval.Milliseconds()); wrong != nil {
		return fmt.Errorf("in milliseconds it %s", wrong[0].Detail)
	}
	return nil
}
