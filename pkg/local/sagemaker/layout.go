package sagemaker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"github.com/perennial-llm/perennial/pkg/object"
)

// layout is a container's file system below a folder of ours.
type layout struct{ dir string }

func (l layout) ml(parts ...string) string {
	return filepath.Join(append([]string{l.dir, "ml"}, parts...)...)
}
func (l layout) log() string     { return filepath.Join(l.dir, "log.txt") }
func (l layout) metrics() string { return filepath.Join(l.dir, "metrics.jsonl") }
func (l layout) exit() string    { return filepath.Join(l.dir, "exit") }
func (l layout) pid() string     { return filepath.Join(l.dir, "pid") }

// prepare makes the layout for a job: configuration files, channels, restored checkpoints.
func (l layout) prepare(ctx context.Context, c Config, in *sagemaker.CreateTrainingJobInput) error {
	for _, dir := range []string{"input/config", "input/data", "model", "output/data", "checkpoints"} {
		if err := os.MkdirAll(l.ml(dir), 0o755); err != nil {
			return err
		}
	}
	if err := l.configure(in); err != nil {
		return err
	}
	for _, channel := range in.InputDataConfig {
		name := value(channel.ChannelName)
		n, err := c.materialize(ctx, channel.DataSource.S3DataSource, l.ml("input", "data", name))
		if err != nil {
			return fmt.Errorf("channel %s: %w", name, err)
		}
		if n == 0 {
			return fmt.Errorf("channel %s: no S3 objects found under %s", name, value(channel.DataSource.S3DataSource.S3Uri))
		}
	}
	return l.restore(ctx, c, in.CheckpointConfig)
}

// restore brings back the checkpoints of an earlier job with the same checkpoint address: copies,
// because checkpoints are written over.
func (l layout) restore(ctx context.Context, c Config, cp *types.CheckpointConfig) error {
	if cp == nil {
		return nil
	}
	key, err := c.keyFolder(cp.S3Uri)
	if err != nil {
		return err
	}
	return c.each(ctx, key, func(info object.Info) error {
		return c.copyOut(ctx, info.Key, l.ml("checkpoints", strings.TrimPrefix(info.Key, key)))
	})
}

// configure writes the three configuration files of the contract.
func (l layout) configure(in *sagemaker.CreateTrainingJobInput) error {
	channels := map[string]any{}
	for _, ch := range in.InputDataConfig {
		channels[value(ch.ChannelName)] = map[string]string{
			"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
	}
	parameters := in.HyperParameters
	if parameters == nil {
		parameters = map[string]string{}
	}
	for name, content := range map[string]any{
		"hyperparameters": parameters,
		"inputdataconfig": channels,
		"resourceconfig":  map[string]any{"current_host": "algo-1", "hosts": []string{"algo-1"}, "network_interface_name": "lo"},
	} {
		b, err := json.Marshal(content)
		if err != nil {
			return err
		}
		if err := writeFile(l.ml("input", "config", name+".json"), b); err != nil {
			return err
		}
	}
	return nil
}

// command maps a container's entry point on this machine.
func (l layout) command(c Config, entry []string) []string {
	out := make([]string, len(entry))
	for i, arg := range entry {
		out[i] = arg
		if arg == "/opt/ml" || strings.HasPrefix(arg, "/opt/ml/") {
			out[i] = l.ml(strings.TrimPrefix(arg, "/opt/ml"))
		}
	}
	if out[0] == "python3" || out[0] == "python" {
		out[0] = c.Python
	}
	return out
}

// environment gives a process what it needs of ours and nothing else.
func (l layout) environment(c Config, own map[string]string) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "LANG", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	env = append(env, c.Env...)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		env = append(env, name+"="+own[name])
	}
	return append(env, "PERENNIAL_ML_ROOT="+l.ml(), "PYTHONUNBUFFERED=1")
}
