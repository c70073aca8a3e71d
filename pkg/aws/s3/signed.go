package s3

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/ids"
	"github.com/perennial-llm/perennial/pkg/object"
)

// PresignAPI is what signs addresses; *s3.PresignClient does.
type PresignAPI interface {
	PresignPutObject(context.Context, *s3.PutObjectInput, ...func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error)
	PresignUploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error)
}

// Signer gives presigned addresses for contents of one bucket. Length and digest are signed, so S3
// itself refuses any other content.
type Signer struct {
	api    PresignAPI
	bucket string
	clock  ids.Clock
}

var _ object.Signer = (*Signer)(nil)

// NewSigner gives the signer of a bucket; the clock only tells when its addresses expire.
func NewSigner(api PresignAPI, bucket string, clock ids.Clock) *Signer {
	return &Signer{api: api, bucket: bucket, clock: clock}
}

// SignPut grants a whole object.
func (s *Signer) SignPut(ctx context.Context, key string, g object.Grant) (object.Signed, error) {
	if err := object.CheckKey(key); err != nil {
		return object.Signed{}, err
	}
	if err := g.Check(); err != nil {
		return object.Signed{}, err
	}
	now := s.clock()
	req, err := s.api.PresignPutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, ContentLength: &g.Size, ChecksumSHA256: toBase64(g.SHA256),
		Metadata: map[string]string{digestName: strings.ToLower(g.SHA256)},
	}, s3.WithPresignExpires(g.Lasts))
	return signed(req, now.Add(g.Lasts), err)
}

// SignPart grants one part of an upload; that the upload exists shows when it is used.
func (s *Signer) SignPart(ctx context.Context, key, id string, number int, g object.Grant) (object.Signed, error) {
	if err := object.CheckNumber(number); err != nil {
		return object.Signed{}, err
	}
	if err := object.CheckKey(key); err != nil {
		return object.Signed{}, err
	}
	if err := g.Check(); err != nil {
		return object.Signed{}, err
	}
	if id == "" {
		return object.Signed{}, noUpload(id)
	}
	now := s.clock()
	req, err := s.api.PresignUploadPart(ctx, &s3.UploadPartInput{
		Bucket: &s.bucket, Key: &key, UploadId: &id, PartNumber: aws.Int32(int32(number)), ContentLength: &g.Size,
		ChecksumSHA256: toBase64(g.SHA256),
	}, s3.WithPresignExpires(g.Lasts))
	return signed(req, now.Add(g.Lasts), err)
}

// signed leaves out the headers that every client sends by itself.
func signed(req *v4.PresignedHTTPRequest, expires time.Time, err error) (object.Signed, error) {
	if err != nil {
		return object.Signed{}, errs.New(errs.Unavailable, "sign an address: %w", err)
	}
	header := map[string]string{}
	for name := range req.SignedHeader {
		if name := http.CanonicalHeaderKey(name); name != "Host" && name != "Content-Length" {
			header[name] = req.SignedHeader.Get(name)
		}
	}
	return object.Signed{Method: req.Method, URL: req.URL, Header: header, Expires: expires.UTC().Truncate(time.Second)}, nil
}
