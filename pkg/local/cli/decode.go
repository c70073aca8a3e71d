package cli

import (
	"encoding/json"
	"fmt"
	"io"
)

func decodeBody(r io.Reader, out any) error {
	if err := json.NewDecoder(r).Decode(out); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}
