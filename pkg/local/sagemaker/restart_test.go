package sagemaker_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	aws_sagemaker "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/sagemaker"
)

// platform is the folder of a platform process that the tests start and kill.
const platform = "PERENNIAL_TEST_PLATFORM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(platform); dir != "" {
		runPlatform(dir)
		return
	}
	os.Exit(m.Run())
}

// runPlatform is a process of its own that trains until it is killed.
func runPlatform(dir string) {
	t := &testing.T{}
	cfg := configAt(t, dir)
	cfg.OnProgress = func(p sagemaker.Progress) {
		if p.Point != nil {
			_ = json.NewEncoder(os.Stdout).Encode(p.Point.Step)
		}
	}
	s, err := sagemaker.New(cfg)
	if err != nil {
		panic(err)
	}
	if _, err := s.CreateTrainingJob(context.Background(), jobInput("job-1", map[string]string{"hold": "2", "until": dir + "/go", "steps": "4"})); err != nil {
		panic(err)
	}
	select {}
}

func TestService_Resume(t *testing.T) {
	t.Run("a killed platform's job goes on from its checkpoint: no step is trained twice", func(t *testing.T) {
		b := newBench(t)
		dir := filepath.Dir(b.cfg.Root)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), platform+"="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "2"; {
		}
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()

		require.NoError(t, os.WriteFile(dir+"/go", nil, 0o600))
		b.open()
		job := b.ended("job-1")
		require.Equal(t, types.TrainingJobStatusCompleted, job.TrainingJobStatus, aws.ToString(job.FailureReason))
		require.Equal(t, "1\n2\n3\n4\n", b.read("runs/r1/job-1/output/data/steps.txt"))
		require.Contains(t, statuses(job), types.SecondaryStatusRestarting)
		points, err := b.Metrics(t.Context(), "job-1")
		require.NoError(t, err)
		require.Len(t, points, 4, "each metric line is kept once")
	})
	t.Run("an orderly end interrupts jobs and the next start goes on with them", func(t *testing.T) {
		b := newBench(t)
		gate := filepath.Join(t.TempDir(), "go")
		b.train("job-1", map[string]string{"hold": "2", "until": gate})
		b.train("job-2", nil)
		b.reaches("job-1", "[perennial] step=2")
		require.NoError(t, b.Close(t.Context()))
		require.NoError(t, os.WriteFile(gate, nil, 0o600))

		b.open()
		require.Contains(t, statuses(b.ended("job-1")), types.SecondaryStatusInterrupted)
		require.Equal(t, "1\n2\n3\n", b.read("runs/r1/job-1/output/data/steps.txt"))
		require.Equal(t, types.TrainingJobStatusCompleted, b.ended("job-2").TrainingJobStatus)
	})
	t.Run("a job that ended by itself meanwhile is not run again", func(t *testing.T) {
		b := newBench(t)
		b.train("job-1", map[string]string{"hold": "2", "until": "/nowhere"})
		b.reaches("job-1", "[perennial] step=2")
		require.NoError(t, b.Close(t.Context()))
		dir := filepath.Join(b.cfg.Root, "jobs", "job-1")
		require.NoError(t, os.WriteFile(dir+"/exit", []byte("0\n"), 0o600))
		require.NoError(t, os.WriteFile(dir+"/ml/model/w.bin", []byte("done"), 0o600))

		b.open()
		require.Equal(t, types.TrainingJobStatusCompleted, b.ended("job-1").TrainingJobStatus)
		require.Equal(t, "done", b.read("runs/r1/job-1/output/model/w.bin"))
		require.Equal(t, "1\n2\n", b.read("runs/r1/job-1/output/data/steps.txt"))
	})
	t.Run("a job that was being stopped is stopped", func(t *testing.T) {
		b := newBench(t)
		b.train("job-1", map[string]string{"hold": "1", "until": "/nowhere"})
		b.reaches("job-1", "[perennial] step=1")
		require.NoError(t, b.Close(t.Context()))
		b.stopOnDisk("job-1")
		b.open()
		require.Equal(t, types.TrainingJobStatusStopped, b.ended("job-1").TrainingJobStatus)
	})
	t.Run("records survive and names stay taken", func(t *testing.T) {
		b := newBench(t)
		b.train("job-1", nil)
		b.ended("job-1")
		require.NoError(t, b.Close(t.Context()))
		b.open()
		require.Equal(t, types.TrainingJobStatusCompleted, b.ended("job-1").TrainingJobStatus)
		_, err := b.CreateTrainingJob(t.Context(), jobInput("job-1", nil))
		var inUse *types.ResourceInUse
		require.ErrorAs(t, err, &inUse)
	})
}

// stopOnDisk asks a closed service to stop a job, as when the platform was killed right after the request.
func (b *bench) stopOnDisk(name string) {
	b.t.Helper()
	_, err := b.StopTrainingJob(b.t.Context(), &aws_sagemaker.StopTrainingJobInput{TrainingJobName: &name})
	require.NoError(b.t, err)
}
