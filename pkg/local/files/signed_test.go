package files_test

import (
	"bytes"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/local/files"
	"github.com/perennial-llm/perennial/pkg/porttest"
)

func TestSigner_Conforms(t *testing.T) {
	porttest.ObjectSigned(t, func(t *testing.T) porttest.SignedStore {
		s, err := files.Open(t.TempDir(), files.KeepVersions)
		require.NoError(t, err)
		clock := porttest.NewClock()
		signer := &files.Signer{Store: s, Secret: bytes.Repeat([]byte("s"), 32), Clock: clock.Now}
		host := httptest.NewServer(signer)
		t.Cleanup(host.Close)
		signer.Base = host.URL + "/signed"
		return porttest.SignedStore{ObjectStore: s, Signer: signer, Pass: clock.Advance}
	})
}
