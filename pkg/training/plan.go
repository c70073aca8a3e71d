package training

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/perennial-llm/perennial/pkg/audit"
	"github.com/perennial-llm/perennial/pkg/dataset"
	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
	"github.com/perennial-llm/perennial/pkg/registry"
)

// Channel is an input of a SageMaker training job, in SageMaker's own form.
type Channel struct {
	ChannelName string
	DataSource  DataSource
	InputMode   string `json:",omitempty"`
}

// DataSource says where a channel's files are.
type DataSource struct{ S3DataSource S3DataSource }

// S3DataSource is a key prefix, or a manifest file that lists objects.
type S3DataSource struct {
	S3DataType             string
	S3Uri                  string
	S3DataDistributionType string
}

// channel makes a channel over a key prefix or, for a URI that ends in .manifest, over its objects.
func channel(name, uri string) Channel {
	kind := "S3Prefix"
	if strings.HasSuffix(uri, ".manifest") {
		kind = "ManifestFile"
	}
	return Channel{ChannelName: name, DataSource: DataSource{S3DataSource{
		S3DataType: kind, S3Uri: uri, S3DataDistributionType: "FullyReplicated"}}}
}

// Plan is what train-model needs to create the training job.
type Plan struct {
	Run        string    `json:"run"`
	Job        string    `json:"job"` // base of the job's name; the attempt is added to it
	Channels   []Channel `json:"channels"`
	Output     string    `json:"output"` // S3 URI
	MaxSeconds int       `json:"maxSeconds"`
}

// maxTraining bounds a job's run time in seconds; SageMaker's own limit is 28 days.
const maxTraining = 24 * 3600

// Plan freezes what a run will learn: the shards that the champion has not seen as training data,
// those that it has seen for replay, its files and carried state, and the configuration.
func (s *Service) Plan(ctx context.Context, id string) (Plan, error) {
	run, err := s.update(ctx, audit.System("training"), id, "RunPlanned", func(r *Run) {
		r.Status, r.Job = Training, jobName(id)+"-0" // the first attempt's name; Register puts the last one's
	})
	if err != nil {
		return Plan{}, err
	}
	if run.Status.Final() {
		return Plan{}, errs.New(errs.Conflict, "run %s has ended: %s", id, run.Status)
	}
	model, err := s.Registry.Model(ctx, run.Model)
	if err != nil {
		return Plan{}, err
	}
	parent, err := s.Registry.Version(ctx, run.Model, run.Parent)
	if err != nil {
		return Plan{}, err
	}
	channels, err := s.channels(ctx, run, model, parent)
	return Plan{Run: id, Job: jobName(id), Channels: channels, Output: s.Places.URI("runs/" + id), MaxSeconds: maxTraining}, err
}

// jobName makes an id fit for SageMaker names, which have no underscore.
func jobName(id string) string { return strings.ReplaceAll(id, "_", "-") }

func (s *Service) channels(ctx context.Context, run Run, model registry.Model, parent registry.Version) ([]Channel, error) {
	prefix := "runs/" + run.ID + "/"
	if err := s.putJSON(ctx, prefix+"config/run.json", runConfig(run, model)); err != nil {
		return nil, err
	}
	out := []Channel{channel("code", s.Places.Code), channel("config", s.Places.URI(prefix+"config/")),
		channel("model", s.Places.URI(parent.Artifact))}
	carried, err := s.Objects.List(ctx, parent.Artifact+"cl_state/", "", 1)
	if err != nil {
		return nil, err
	}
	if len(carried) > 0 {
		out = append(out, channel("cl_state", s.Places.URI(parent.Artifact+"cl_state/")))
	}
	data, err := s.dataChannels(ctx, run, parent, prefix)
	if err != nil {
		return nil, err
	}
	measuring, err := s.measuring(ctx, run, model, prefix)
	out = slices.Concat(out, data, measuring)
	slices.SortFunc(out, func(a, b Channel) int { return strings.Compare(a.ChannelName, b.ChannelName) })
	return out, err
}

func (s *Service) dataChannels(ctx context.Context, run Run, parent registry.Version, prefix string) ([]Channel, error) {
	seen, err := s.seen(ctx, parent)
	if err != nil {
		return nil, err
	}
	var fresh []dataset.Shard
	for _, ref := range run.Datasets {
		v, err := s.Datasets.Version(ctx, ref.Dataset, ref.Number)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, unseen(v, seen)...)
	}
	old := make([]dataset.Shard, 0, len(seen))
	for _, sh := range seen {
		old = append(old, sh)
	}
	slices.SortFunc(old, func(a, b dataset.Shard) int { return strings.Compare(a.SHA256, b.SHA256) })
	var out []Channel
	for name, shards := range map[string][]dataset.Shard{"train": fresh, "replay": old} {
		if len(shards) == 0 {
			continue
		}
		if err := s.putManifest(ctx, prefix+name+".manifest", "", keys(shards)); err != nil {
			return nil, err
		}
		out = append(out, channel(name, s.Places.URI(prefix+name+".manifest")))
	}
	return out, nil
}

func keys(shards []dataset.Shard) []string {
	out := make([]string, 0, len(shards))
	for _, sh := range shards {
		out = append(out, sh.Key)
	}
	return out
}

// putManifest writes SageMaker's manifest form: the common prefix, then the keys below it.
func (s *Service) putManifest(ctx context.Context, key, prefix string, below []string) error {
	list := []any{map[string]string{"prefix": s.Places.URI(prefix)}}
	for _, k := range below {
		list = append(list, k)
	}
	return s.putJSON(ctx, key, list)
}

func (s *Service) putJSON(ctx context.Context, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	_, err = s.Objects.Put(ctx, key, bytes.NewReader(b), object.PutOptions{})
	return err
}

// runConfig is run.json of the training container: the preset, then the model's own sections.
func runConfig(run Run, model registry.Model) map[string]any {
	config := map[string]any{}
	if len(model.Train) > 0 {
		_ = json.Unmarshal(model.Train, &config) // checked when the model was saved
	}
	config["schema"], config["job"], config["preset"], config["seed"] = 1, "train", run.Preset, run.Seed
	return config
}
