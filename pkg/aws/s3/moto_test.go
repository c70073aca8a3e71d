package s3_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// moto deviates from S3 in what this file lists. mended answers as S3 does in these places; each
// test here holds that moto still deviates, so that a mended moto shows up.

type mended struct {
	*s3.Client
	mu   sync.Mutex
	sums map[string]*string // upload id and ETag → SHA-256 of the part
	keys map[string]string  // upload id → key
}

func mend(api *s3.Client) *mended {
	return &mended{Client: api, sums: map[string]*string{}, keys: map[string]string{}}
}

// CreateMultipartUpload remembers the key: moto takes parts of an upload under any.
func (m *mended) CreateMultipartUpload(
	ctx context.Context, in *s3.CreateMultipartUploadInput, opts ...func(*s3.Options),
) (*s3.CreateMultipartUploadOutput, error) {
	out, err := m.Client.CreateMultipartUpload(ctx, in, opts...)
	if err == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.keys[*out.UploadId] = *in.Key
	}
	return out, err
}

func (m *mended) keyOf(id string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[id]
}

// UploadPart to an upload that is not there is NoSuchUpload on S3 and a crash in moto.
func (m *mended) UploadPart(
	ctx context.Context, in *s3.UploadPartInput, opts ...func(*s3.Options),
) (*s3.UploadPartOutput, error) {
	if _, err := m.ListParts(ctx, &s3.ListPartsInput{Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId}); err != nil {
		return nil, err
	}
	if m.keyOf(*in.UploadId) != *in.Key {
		return nil, &types.NoSuchUpload{}
	}
	out, err := m.Client.UploadPart(ctx, in, opts...)
	if err == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sums[*in.UploadId+*out.ETag] = in.ChecksumSHA256
	}
	return out, err
}

// ListParts carries checksums on S3, which moto forgets.
func (m *mended) ListParts(ctx context.Context, in *s3.ListPartsInput, opts ...func(*s3.Options)) (*s3.ListPartsOutput, error) {
	out, err := m.Client.ListParts(ctx, in, opts...)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, p := range out.Parts {
		out.Parts[i].ChecksumSHA256 = m.sums[*in.UploadId+*p.ETag]
	}
	return out, nil
}

func begin(t *testing.T, api *s3.Client, bucket string) *string {
	out, err := api.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: &bucket, Key: aws.String("k"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	require.NoError(t, err)
	return out.UploadId
}

func TestMoto_StillCrashesOnAPartOfNoUpload(t *testing.T) {
	api, bucket := bucket(t)
	_, err := api.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &bucket, Key: aws.String("k"), UploadId: aws.String("none"), PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
	})
	require.ErrorContains(t, err, "StatusCode: 500")
}

func TestMoto_StillForgetsChecksumsOfParts(t *testing.T) {
	api, bucket := bucket(t)
	id := begin(t, api, bucket)
	_, err := api.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &bucket, Key: aws.String("k"), UploadId: id, PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	require.NoError(t, err)
	out, err := api.ListParts(t.Context(), &s3.ListPartsInput{Bucket: &bucket, Key: aws.String("k"), UploadId: id})
	require.NoError(t, err)
	require.Nil(t, out.Parts[0].ChecksumSHA256)
}

func TestMoto_StillTakesAPartForAnotherKey(t *testing.T) {
	api, bucket := bucket(t)
	_, err := api.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &bucket, Key: aws.String("other"), UploadId: begin(t, api, bucket), PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
	})
	require.NoError(t, err, "S3 says NoSuchUpload")
}
