package stats_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/stats"
)

// vectors are reference values made once by scripts/gen/stats_vectors.py with scipy and statsmodels.
type vectors struct {
	Tango []struct {
		B, C, N, Delta, Z float64
		CI                [2]float64
	}
	McNemar []struct {
		B, C            int
		Worse, TwoSided float64
	}
	Binomial []struct {
		K, N   int
		P, CDF float64
	}
	Multiple []struct{ P, Holm, BH []float64 }
	Normal   []struct{ X, CDF, P, Quantile float64 }
	Wilson   []struct {
		K, N int
		CI   [2]float64
	}
	Clustered struct {
		D      []float64
		Groups []int32
		SE     float64
	}
	SignFlip struct {
		D []float64
		P float64
	}
	Power []struct {
		Psi, Delta, Alpha, MDE300 float64
		N                         int
	}
	Pooled struct {
		D            [][]float64
		Weights      []float64
		Estimate, SE float64
	}
	Mixture  []struct{ N, Variance, Tau, X, LR float64 }
	EProcess []struct {
		Tick [4]int
		E    float64
	}
}

func load(t *testing.T) (v vectors) {
	t.Helper()
	content, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &v))
	require.NotEmpty(t, v.Tango)
	require.NotEmpty(t, v.McNemar)
	require.NotEmpty(t, v.Multiple)
	require.NotEmpty(t, v.Power)
	require.NotEmpty(t, v.Mixture)
	require.NotEmpty(t, v.EProcess)
	return v
}

func TestTango_AgreesWithNumericalLikelihood(t *testing.T) {
	for _, c := range load(t).Tango {
		require.InDelta(t, c.Z, stats.TangoZ(c.B, c.C, c.N, c.Delta), 1e-5)
		ci := stats.TangoInterval(c.B, c.C, c.N, 0.95)
		require.InDelta(t, c.CI[0], ci.Low, 1e-6)
		require.InDelta(t, c.CI[1], ci.High, 1e-6)
	}
}

func TestMcNemar_AgreesWithStatsmodels(t *testing.T) {
	for _, c := range load(t).McNemar {
		require.InEpsilon(t, c.Worse, stats.McNemarWorse(c.B, c.C), 1e-8)
		require.InEpsilon(t, c.TwoSided, stats.McNemar(c.B, c.C), 1e-8)
	}
}

func TestBinomialCDF_AgreesWithScipy(t *testing.T) {
	for _, c := range load(t).Binomial {
		require.InDelta(t, c.CDF, stats.BinomialCDF(c.K, c.N, c.P), 1e-10)
	}
	require.Zero(t, stats.BinomialCDF(-1, 5, 0.5))
	require.Equal(t, 1.0, stats.BinomialCDF(2, 5, 0))
	require.Zero(t, stats.BinomialCDF(2, 5, 1))
}

func TestCorrections_AgreeWithStatsmodels(t *testing.T) {
	for _, c := range load(t).Multiple {
		require.InDeltaSlice(t, c.Holm, stats.Holm(c.P), 1e-12)
		require.InDeltaSlice(t, c.BH, stats.BenjaminiHochberg(c.P), 1e-12)
	}
	require.Empty(t, stats.Holm(nil))
}

func TestNormal_AgreesWithScipy(t *testing.T) {
	for _, c := range load(t).Normal {
		require.InDelta(t, c.CDF, stats.NormalCDF(c.X), 1e-14)
		require.InDelta(t, c.Quantile, stats.NormalQuantile(c.P), 1e-9)
	}
}

func TestWilson_AgreesWithStatsmodels(t *testing.T) {
	for _, c := range load(t).Wilson {
		got := stats.Wilson(c.K, c.N, 0.95)
		require.InDelta(t, c.CI[0], got.Low, 1e-9)
		require.InDelta(t, c.CI[1], got.High, 1e-9)
	}
	require.Equal(t, stats.Interval{Low: 0, High: 1}, stats.Wilson(0, 0, 0.95))
}

func TestPaired_MillerSE_AgreesWithStatsmodels(t *testing.T) {
	c := load(t).Clustered
	p := stats.NewPaired(c.D, c.Groups)
	require.InDelta(t, c.SE, p.MillerSE(), 1e-12)
	require.GreaterOrEqual(t, p.SE(), c.SE, "the added flip only widens")
}

func TestSignFlip_AgreesWithScipy(t *testing.T) {
	c := load(t).SignFlip
	var clusters []stats.Cluster
	for _, d := range c.D {
		clusters = append(clusters, stats.Cluster{Sum: d, Size: 1})
	}
	require.InDelta(t, c.P, stats.SignFlip(clusters, 0, 1), 1e-12, "all patterns")
	for range 4 {
		clusters = append(clusters, clusters[:4]...)
	}
	p := stats.SignFlip(clusters, 0, 1)
	require.Equal(t, p, stats.SignFlip(clusters, 0, 1), "equal seeds draw alike")
	require.Less(t, p, 0.01)
	require.Equal(t, 1.0, stats.SignFlip(nil, 0, 1))
}

func TestPower_AgreesWithThePowerEquation(t *testing.T) {
	for _, c := range load(t).Power {
		require.Equal(t, c.N, stats.SampleSize(c.Psi, c.Delta, c.Alpha))
		require.InEpsilon(t, c.MDE300, stats.MDE(300, c.Psi, c.Alpha), 1e-6)
	}
}

func TestPool_AgreesWithLinearContrast(t *testing.T) {
	c := load(t).Pooled
	strata := make([]stats.Stratum, len(c.D))
	for i, d := range c.D {
		strata[i] = stats.Stratum{Weight: c.Weights[i], Paired: stats.NewPaired(d, nil)}
	}
	got := stats.Pool(strata)
	require.InDelta(t, c.Estimate, got.Estimate, 1e-12)
	require.InDelta(t, c.SE, got.SE, 1e-12)
}

func TestMixtureLR_AgreesWithNumericalIntegration(t *testing.T) {
	for _, c := range load(t).Mixture {
		require.InEpsilon(t, c.LR, stats.MixtureLR(c.N, c.Variance, c.Tau, c.X), 1e-8)
	}
}

func TestEProcess_AgreesWithBinomialLikelihoods(t *testing.T) {
	e := stats.NewEProcess(0.01, 1.2)
	for _, c := range load(t).EProcess {
		got, _ := e.Observe(c.Tick[0], c.Tick[1], c.Tick[2], c.Tick[3])
		require.InEpsilon(t, c.E, got, 1e-9)
	}
}

// Published sample sizes and detectable effects (power 80%, one-sided 5%, first-order form).
func TestMDE_Published(t *testing.T) {
	require.Equal(t, 6183, stats.SampleSize(0.10, 0.01, 0.05))
	require.Equal(t, 1546, stats.SampleSize(0.10, 0.02, 0.05))
	require.Equal(t, 687, stats.SampleSize(0.10, 0.03, 0.05))
	require.InDelta(t, 0.061, stats.MDE(164, 0.10, 0.05), 0.0005)
	require.InDelta(t, 0.025, stats.MDE(1000, 0.10, 0.05), 0.0005)
	require.Equal(t, 1.0, stats.MDE(0, 0.10, 0.05))
}
