package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// audit makes `audit`, which verifies, and the same as `audit verify`.
func (a *app) audit() *cobra.Command {
	cmd := a.verifyCommand("audit")
	cmd.AddCommand(a.verifyCommand("verify"))
	return cmd
}

func (a *app) verifyCommand(name string) *cobra.Command {
	var head string
	cmd := &cobra.Command{Use: name, Short: "verify the audit chain", Args: exactly(),
		Long: "Recomputes the audit chain and compares it with the head that the platform keeps outside its records; says which\n" +
			"entries were edited, deleted, moved or cut off. The head that it prints can be noted and given later as --head."}
	cmd.Flags().StringVar(&head, "head", "", "NUMBER:HASH, a head noted before, which must still be in the chain")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var out audit.Report
		if err := a.client().Get(cmd.Context(), "/v1/audit/verify", &out); err != nil {
			return err
		}
		if head != "" {
			if err := a.checkNoted(cmd.Context(), head, &out); err != nil {
				return err
			}
		}
		err := a.show(cmd, out, func(w io.Writer) { tellTrail(w, out) })
		return cmp.Or(err, out.Err())
	}
	return cmd
}

func tellTrail(w io.Writer, r audit.Report) {
	fmt.Fprintf(w, "%d entries checked", r.Checked)
	if r.Anchored {
		fmt.Fprint(w, " against the head kept elsewhere")
	}
	fmt.Fprintf(w, "\nhead %d:%s\n", r.Head.Seq, r.Head.Hash)
	for _, p := range r.Problems {
		fmt.Fprintf(w, "  entry %d: %s: %s\n", p.Seq, p.Kind, p.Detail)
	}
}

// checkNoted adds to the report when the entry of a noted head is gone or another.
func (a *app) checkNoted(ctx context.Context, noted string, r *audit.Report) error {
	number, hash, ok := strings.Cut(noted, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok || seq < 1 || len(hash) != len(audit.Genesis) {
		return errs.New(errs.Invalid, "--head %q is not NUMBER:HASH", noted).Mend("use a head that perennial audit printed")
	}
	var page list[audit.Entry]
	if err := a.client().Get(ctx, fmt.Sprintf("/v1/audit?after=%d&limit=1", seq-1), &page); err != nil {
		return err
	}
	r.Anchored = true
	switch found := page.Items; {
	case len(found) == 0:
		r.Problems = append(r.Problems, audit.Problem{Seq: r.Head.Seq + 1, Kind: audit.Cut,
			Detail: fmt.Sprintf("entries %d to %d were cut off the end", r.Head.Seq+1, seq)})
	case found[0].Seq != seq || found[0].Hash != hash:
		r.Problems = append(r.Problems, audit.Problem{Seq: seq, Kind: audit.Rewritten,
			Detail: fmt.Sprintf("entry %d is not the one that was noted: it or something before it was rewritten", seq)})
	}
	r.OK = len(r.Problems) == 0
	return nil
}
