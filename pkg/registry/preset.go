package registry

import (
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/errs"
)

// Presets are the training presets that training/contract/run.schema.json names; training/README.md says what each is for.
var Presets = []string{"safe", "knowledge", "skill", "no_old_data", "long_stream", "large", "naive", "lora", "replay"}

// CheckPreset refuses a preset that the training container does not know; empty means the default and is fine.
func CheckPreset(name string) error {
	if name == "" || slices.Contains(Presets, name) {
		return nil
	}
	return errs.New(errs.Invalid, "no training preset %q", name).At("/preset").Mend("use one of %s", strings.Join(Presets, ", "))
}
