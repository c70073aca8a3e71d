package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
)

// Ingestion is an arrival.
type Ingestion = dataset.Ingestion

// settled tells whether nothing more happens by itself.
func settled(in Ingestion) bool { return in.Status.Final() || in.Status == dataset.Quarantined }

// Upload sends a file to a dataset and gives the ingestion that it became.
func (c *Client) Upload(ctx context.Context, dataset, path string) (Ingestion, error) {
	var in Ingestion
	f, err := openFile(path)
	if err != nil {
		return in, err
	}
	defer f.Close()
	q := url.Values{"name": {filepath.Base(path)}}
	err = c.send(ctx, "/v1/datasets/"+url.PathEscape(dataset)+"/uploads?"+q.Encode(), f, &in)
	return in, err
}

// openFile opens a file to send. A folder is refused here, before it is taken for a broken connection.
func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errs.New(errs.Invalid, "%w", err)
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		f.Close()
		return nil, errs.New(errs.Invalid, "%s is a folder", path).Mend("add its files one by one")
	}
	return f, nil
}

func (c *Client) send(ctx context.Context, path string, body io.Reader, out any) error {
	resp, err := c.Do(ctx, http.MethodPost, path, body, "Content-Type", "application/octet-stream")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return decodeBody(resp.Body, out)
}

// Settle follows an ingestion until nothing more happens by itself.
func (c *Client) Settle(ctx context.Context, id string, each func(Ingestion)) (Ingestion, error) {
	var in Ingestion
	err := poll(ctx, 300*time.Millisecond, func() (bool, error) {
		err := c.Get(ctx, "/v1/ingestions/"+url.PathEscape(id), &in)
		if err == nil {
			each(in)
		}
		return settled(in), err
	})
	return in, err
}

// poll calls f at intervals until it is done or the context ends.
func poll(ctx context.Context, every time.Duration, f func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if done, err := f(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (a *app) data() *cobra.Command {
	cmd := &cobra.Command{Use: "data", Short: "datasets: add files, see versions"}
	cmd.PersistentFlags().StringVar(&a.set, "dataset", "", "dataset (default: the model's)")
	return group(cmd, a.dataCreate(), a.dataAdd(), a.dataVersions(), a.dataIngestions(), a.dataDecide("publish"), a.dataDecide("discard"), a.dataRejects(), a.dataRetract())
}

func (a *app) dataCreate() *cobra.Command {
	return &cobra.Command{Use: "create ID", Short: "make a dataset", Args: exactly("ID"), RunE: func(cmd *cobra.Command, args []string) error {
		var d dataset.Dataset
		if err := a.client().Post(cmd.Context(), "/v1/datasets", map[string]string{"id": args[0]}, &d); err != nil {
			return err
		}
		return a.show(cmd, d, func(w io.Writer) { fmt.Fprintf(w, "made %s\n", d.ID) })
	}}
}

func (a *app) dataset(ctx context.Context) (string, error) {
	if a.set != "" {
		return a.set, nil
	}
	model, err := a.theModel(ctx)
	if err != nil {
		return "", err
	}
	var m struct {
		Dataset string `json:"dataset"`
	}
	err = a.client().Get(ctx, "/v1/models/"+url.PathEscape(model), &m)
	return m.Dataset, err
}

func (a *app) dataAdd() *cobra.Command {
	return &cobra.Command{Use: "add FILE", Short: "upload a file and follow its admission", Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ds, err := a.dataset(cmd.Context())
			if err != nil {
				return err
			}
			in, err := a.client().Upload(cmd.Context(), ds, args[0])
			if err != nil {
				return err
			}
			in, err = a.client().Settle(cmd.Context(), in.ID, func(Ingestion) {})
			if err != nil {
				return err
			}
			return cmp.Or(a.show(cmd, in, func(w io.Writer) { PrintIngestion(w, in) }), unpublished(in))
		}}
}

// unpublished tells why an arrival brought no rows; nil when it did.
func unpublished(in Ingestion) error {
	switch in.Status {
	case dataset.Quarantined:
		return errs.New(errs.Invalid, "nothing of %s is published", in.Name).
			Mend("mend them and add the file again, or: perennial data publish %s, perennial data discard %s", in.ID, in.ID)
	case dataset.Failed:
		return errs.New(errs.Unhealthy, "the admission failed: %s", in.Error).Mend("add the file again")
	}
	return nil
}

// PrintIngestion tells what became of an arrival.
func PrintIngestion(w io.Writer, in Ingestion) {
	fmt.Fprintf(w, "%s %s: %s", in.ID, in.Name, in.Status)
	if in.DatasetVersion > 0 {
		fmt.Fprintf(w, " as version %d", in.DatasetVersion)
	}
	c := in.Counts
	fmt.Fprintf(w, "\n  %d rows read, %d accepted, %d rejected, %d duplicates, %d with personal data masked\n",
		c.Rows, c.Accepted, c.Rejected, c.Duplicates, c.Masked)
	for _, group := range in.Errors {
		printGroup(w, group)
	}
	if in.Error != "" {
		fmt.Fprintf(w, "  error: %s\n", in.Error)
	}
	if in.Rejects != "" {
		fmt.Fprintf(w, "  rejected rows with their errors: perennial data rejects %s\n", in.ID)
	}
}

// printGroup tells what broke a rule, with the first three places.
func printGroup(w io.Writer, group dataset.ErrorGroup) {
	fmt.Fprintf(w, "  %s (%d)", group.Rule, group.Count)
	for i, e := range group.Examples {
		if i == 3 {
			fmt.Fprint(w, " …")
			break
		}
		fmt.Fprintf(w, "; line %d: expected %s, found %s", e.Line, e.Expected, e.Found)
	}
	fmt.Fprintln(w)
}

func (a *app) dataVersions() *cobra.Command {
	return &cobra.Command{Use: "versions", Short: "list dataset versions", Args: exactly(), RunE: func(cmd *cobra.Command, _ []string) error {
		ds, err := a.dataset(cmd.Context())
		if err != nil {
			return err
		}
		var vs list[dataset.Version]
		if err := a.client().Get(cmd.Context(), "/v1/datasets/"+url.PathEscape(ds)+"/versions", &vs); err != nil {
			return err
		}
		return a.show(cmd, vs, func(w io.Writer) {
			var rows [][]string
			for _, v := range vs.Items {
				rows = append(rows, []string{fmt.Sprint(v.Number), fmt.Sprint(v.Rows), string(v.Status), short(v.Digest), ago(v.Created)})
			}
			grid(w, "VERSION ROWS STATUS DIGEST CREATED", rows)
		})
	}}
}

func (a *app) dataIngestions() *cobra.Command {
	return &cobra.Command{Use: "ingestions", Short: "list arrivals", Args: exactly(), RunE: func(cmd *cobra.Command, _ []string) error {
		var ins list[Ingestion]
		if err := a.client().Get(cmd.Context(), "/v1/ingestions", &ins); err != nil {
			return err
		}
		return a.show(cmd, ins, func(w io.Writer) {
			var rows [][]string
			for _, in := range ins.Items {
				rows = append(rows, []string{in.ID, in.Name, string(in.Status), fmt.Sprint(in.Counts.Accepted), fmt.Sprint(in.Counts.Rejected), ago(in.Created)})
			}
			grid(w, "INGESTION FILE STATUS ACCEPTED REJECTED ARRIVED", rows)
		})
	}}
}

func (a *app) dataDecide(verb string) *cobra.Command {
	short := map[string]string{"publish": "publish the valid part of a quarantined arrival", "discard": "discard a quarantined arrival"}[verb]
	var reason string
	cmd := &cobra.Command{Use: verb + " INGESTION", Short: short, Args: exactly("INGESTION")}
	because(cmd, &reason)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var in Ingestion
		if err := a.client().Post(cmd.Context(), "/v1/ingestions/"+args[0]+"/"+verb, map[string]string{"reason": reason}, &in); err != nil {
			return err
		}
		return a.show(cmd, in, func(w io.Writer) { PrintIngestion(w, in) })
	}
	return cmd
}

func (a *app) dataRejects() *cobra.Command {
	return &cobra.Command{Use: "rejects INGESTION", Short: "print rejected rows with an error column", Args: exactly("INGESTION"),
		Long: "Prints the quarantine file: the original rows as they came, JSON lines or CSV, each with its error. Mended, the\n" +
			"file can be added again as it is.",
		RunE: func(cmd *cobra.Command, args []string) error {
			resp, err := a.client().Do(cmd.Context(), http.MethodGet, "/v1/ingestions/"+args[0]+"/rejects", nil)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.Copy(cmd.OutOrStdout(), resp.Body)
			return err
		}}
}

func (a *app) dataRetract() *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: "retract VERSION", Short: "take a dataset version back: nothing learns from it any more", Args: exactly("VERSION")}
	because(cmd, &reason)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		number, err := versionNumber(args[0], "data versions")
		if err != nil {
			return err
		}
		ds, err := a.dataset(cmd.Context())
		if err != nil {
			return err
		}
		path := fmt.Sprintf("/v1/datasets/%s/versions/%d/retract", url.PathEscape(ds), number)
		var v dataset.Version
		if err := a.client().Post(cmd.Context(), path, map[string]string{"reason": reason}, &v); err != nil {
			return err
		}
		return a.show(cmd, v, func(w io.Writer) { fmt.Fprintf(w, "version %d of %s is retracted\n", number, ds) })
	}
	return cmd
}
