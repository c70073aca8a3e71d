package sagemaker_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aws_sagemaker "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/local/sagemaker"
	"github.com/perennial-llm/perennial/pkg/object"
)

// folder is an object store of plain files.
type folder struct{ dir string }

var (
	_ object.Store     = folder{}
	_ sagemaker.Pather = folder{}
)

func (f folder) Path(key string) (string, error) { return filepath.Join(f.dir, key), nil }

func (f folder) Put(_ context.Context, key string, r io.Reader, _ object.PutOptions) (object.Info, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return object.Info{}, err
	}
	p := filepath.Join(f.dir, key)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return object.Info{}, err
	}
	return info(key, b), os.WriteFile(p, b, 0o600)
}

func (f folder) Get(_ context.Context, key string, offset int64) (io.ReadCloser, object.Info, error) {
	b, err := os.ReadFile(filepath.Join(f.dir, key))
	if err != nil {
		return nil, object.Info{}, errs.New(errs.NotFound, "no object %q", key)
	}
	return io.NopCloser(bytes.NewReader(b[offset:])), info(key, b), nil
}

func (f folder) List(_ context.Context, prefix, start string, limit int) ([]object.Info, error) {
	var out []object.Info
	err := filepath.WalkDir(f.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		key := strings.TrimPrefix(p, f.dir+"/")
		if strings.HasPrefix(key, prefix) && key > start {
			b, _ := os.ReadFile(p)
			out = append(out, info(key, b))
		}
		return nil
	})
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out[:min(limit, len(out))], err
}

func (f folder) Delete(_ context.Context, key string) error {
	return os.Remove(filepath.Join(f.dir, key))
}

func info(key string, b []byte) object.Info {
	sum := sha256.Sum256(b)
	return object.Info{Key: key, Size: int64(len(b)), SHA256: hex.EncodeToString(sum[:])}
}

func python(t *testing.T) string {
	t.Helper()
	p, err := exec.LookPath("python3")
	require.NoError(t, err)
	return p
}

// bench is a service on a fresh folder.
type bench struct {
	*sagemaker.Service
	t       *testing.T
	cfg     sagemaker.Config
	objects folder
}

func never(time.Duration) <-chan time.Time { return nil }

func newBench(t *testing.T, change ...func(*sagemaker.Config)) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{t: t, objects: folder{filepath.Join(dir, "objects")}}
	b.cfg = configAt(t, dir)
	for _, f := range change {
		f(&b.cfg)
	}
	b.put("data/train/part-0.jsonl", "{}\n{}\n")
	b.put("data/train/part-1.jsonl", "{}\n")
	b.open()
	return b
}

func configAt(t *testing.T, dir string) sagemaker.Config {
	code, err := filepath.Abs("testdata/code")
	require.NoError(t, err)
	return sagemaker.Config{Root: filepath.Join(dir, "sagemaker"), Objects: folder{filepath.Join(dir, "objects")}, Bucket: "bkt",
		Code: code, CodeKey: "code/abc/", Python: python(t), After: never}
}

// open starts a service on the bench's folder, as a new process of the platform does.
func (b *bench) open() {
	b.t.Helper()
	s, err := sagemaker.New(b.cfg)
	require.NoError(b.t, err)
	b.Service = s
	b.t.Cleanup(func() { _ = s.Close(context.Background()) })
	require.NoError(b.t, s.Resume(b.t.Context()))
}

func (b *bench) put(key, content string) {
	b.t.Helper()
	_, err := b.objects.Put(b.t.Context(), key, strings.NewReader(content), object.PutOptions{})
	require.NoError(b.t, err)
}

func (b *bench) read(key string) string {
	b.t.Helper()
	raw, err := os.ReadFile(filepath.Join(b.objects.dir, key))
	require.NoError(b.t, err)
	return string(raw)
}

// train submits a job and expects it to be accepted.
func (b *bench) train(name string, parameters map[string]string) {
	b.t.Helper()
	_, err := b.CreateTrainingJob(b.t.Context(), jobInput(name, parameters))
	require.NoError(b.t, err)
}

// ended waits for a job's end.
func (b *bench) ended(name string) *aws_sagemaker.DescribeTrainingJobOutput {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	out, err := b.Wait(ctx, name)
	require.NoError(b.t, err)
	return out
}

// reaches waits until a job's log has a line that begins so.
func (b *bench) reaches(name, line string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		lines, _, _, err := b.Logs(b.t.Context(), name, 0)
		require.NoError(b.t, err)
		for _, l := range lines {
			if strings.HasPrefix(l, line) {
				return true
			}
		}
		return false
	}, time.Minute, 5*time.Millisecond)
}

func channel(name, uri string) types.Channel {
	return types.Channel{ChannelName: &name, DataSource: &types.DataSource{S3DataSource: &types.S3DataSource{
		S3DataType: types.S3DataTypeS3Prefix, S3Uri: &uri, S3DataDistributionType: types.S3DataDistributionFullyReplicated}}}
}

func jobInput(name string, parameters map[string]string) *aws_sagemaker.CreateTrainingJobInput {
	return &aws_sagemaker.CreateTrainingJobInput{
		TrainingJobName: &name, RoleArn: aws.String("arn:aws:iam::000000000000:role/training"), HyperParameters: parameters,
		AlgorithmSpecification: &types.AlgorithmSpecification{TrainingInputMode: types.TrainingInputModeFile,
			ContainerEntrypoint: []string{"python3", "/opt/ml/input/data/code/train.py"}},
		InputDataConfig:   []types.Channel{channel("code", "s3://bkt/code/abc/"), channel("train", "s3://bkt/data/train/")},
		OutputDataConfig:  &types.OutputDataConfig{S3OutputPath: aws.String("s3://bkt/runs/r1"), CompressionType: types.OutputCompressionTypeNone},
		ResourceConfig:    &types.ResourceConfig{InstanceType: types.TrainingInstanceTypeMlG5Xlarge, InstanceCount: aws.Int32(1), VolumeSizeInGB: aws.Int32(50)},
		StoppingCondition: &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(3600)},
		CheckpointConfig:  &types.CheckpointConfig{S3Uri: aws.String("s3://bkt/runs/r1/checkpoints/")},
	}
}

// reachesSoon is reaches for a job that another goroutine submits.
func (b *bench) reachesSoon(name, line string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		_, _, _, err := b.Logs(b.t.Context(), name, 0)
		return err == nil
	}, time.Minute, 5*time.Millisecond)
	b.reaches(name, line)
}

func replace(s, old, with string) string { return strings.Replace(s, old, with, 1) }

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}
