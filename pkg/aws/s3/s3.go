// Package s3 keeps objects in one S3 bucket: it implements the object ports. The bucket keeps
// versions. The SHA-256 of an object's content lies in its metadata, or, for multipart uploads, in a
// tag, both named sha256.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// API is what the adapter calls of S3 for whole objects.
type API interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
	GetObjectTagging(context.Context, *s3.GetObjectTaggingInput, ...func(*s3.Options)) (*s3.GetObjectTaggingOutput, error)
	PutObjectTagging(context.Context, *s3.PutObjectTaggingInput, ...func(*s3.Options)) (*s3.PutObjectTaggingOutput, error)
	UploadAPI
}

// Store implements the object ports over one bucket.
type Store struct {
	api    API
	bucket string
}

var (
	_ object.Store      = (*Store)(nil)
	_ object.Uploads    = (*Store)(nil)
	_ object.PartLister = (*Store)(nil)
	_ object.Versions   = (*Store)(nil)
)

// New gives the objects in a bucket.
func New(api API, bucket string) *Store { return &Store{api: api, bucket: bucket} }

const digestName = "sha256" // of the metadata entry and the tag

// Put stores the whole of r. It is spooled first, since S3 wants its size and digest before.
func (s *Store) Put(ctx context.Context, key string, r io.Reader, opt object.PutOptions) (object.Info, error) {
	if err := object.CheckKey(key); err != nil {
		return object.Info{}, err
	}
	d, err := spool(ctx, r)
	if err != nil {
		return object.Info{}, err
	}
	defer d.drop()
	if opt.SHA256 != "" && opt.SHA256 != d.hex() {
		return object.Info{}, errs.New(errs.Invalid, "the content has the digest %s, not %s", d.hex(), opt.SHA256)
	}
	out, err := s.put(ctx, key, d, opt.IfAbsent)
	if err != nil {
		return object.Info{}, classify(key, err)
	}
	return object.Info{Key: key, Version: aws.ToString(out.VersionId), Size: d.size, SHA256: d.hex()}, nil
}

// put tries again when S3 says that another conditional write was under way.
func (s *Store) put(ctx context.Context, key string, d *draft, absent bool) (*s3.PutObjectOutput, error) {
	const tries = 5
	for try := 1; ; try++ {
		body, err := d.reader()
		if err != nil {
			return nil, err
		}
		input := &s3.PutObjectInput{
			Bucket: &s.bucket, Key: &key, Body: body, ContentLength: &d.size, ChecksumSHA256: aws.String(d.base64()),
			Metadata: map[string]string{digestName: d.hex()},
		}
		if absent {
			input.IfNoneMatch = aws.String("*")
		}
		out, err := s.api.PutObject(ctx, input)
		if code(err) != "ConditionalRequestConflict" || try == tries {
			return out, err
		}
		if err := pause(ctx, time.Duration(try)*100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Delete removes an object; S3 keeps its versions.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := object.CheckKey(key); err != nil {
		return err
	}
	_, err := s.api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key})
	return classify(key, err)
}

// List gives objects in byte order of keys, without digests.
func (s *Store) List(ctx context.Context, prefix, start string, limit int) ([]object.Info, error) {
	if limit <= 0 {
		limit = 1000
	}
	input := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix}
	if start != "" {
		input.StartAfter = &start
	}
	infos := []object.Info{}
	for {
		input.MaxKeys = aws.Int32(int32(min(limit-len(infos), 1000)))
		out, err := s.api.ListObjectsV2(ctx, input)
		if err != nil {
			return nil, classify(prefix, err)
		}
		for _, o := range out.Contents {
			infos = append(infos, object.Info{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)})
		}
		if !aws.ToBool(out.IsTruncated) || len(infos) >= limit {
			return infos, nil
		}
		input.ContinuationToken = out.NextContinuationToken
	}
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// codes gives S3's error codes their meaning, in one place.
var codes = map[string]errs.Code{
	"NoSuchKey": errs.NotFound, "NotFound": errs.NotFound, "NoSuchVersion": errs.NotFound, "NoSuchUpload": errs.NotFound,
	"PreconditionFailed": errs.Conflict, "ConditionalRequestConflict": errs.Conflict,
	"InvalidPart": errs.Invalid, "InvalidPartOrder": errs.Invalid, "EntityTooSmall": errs.Invalid, "EntityTooLarge": errs.Invalid,
	"MalformedXML": errs.Invalid, "InvalidRange": errs.Invalid, "BadDigest": errs.Invalid, "InvalidArgument": errs.Invalid,
	"SlowDown": errs.Unavailable, "InternalError": errs.Unavailable, "ServiceUnavailable": errs.Unavailable, "RequestTimeout": errs.Unavailable,
}

// classify gives errors of S3 a code and words.
func classify(key string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	name := code(err)
	if name == "NoSuchUpload" {
		return errs.New(errs.NotFound, "no such upload of object %s: %w", key, err).Mend("begin the upload again")
	}
	switch kind, known := codes[name]; {
	case name == "":
		return errs.New(errs.Unavailable, "object %s: the store does not answer: %w", key, err)
	case !known:
		return errs.New(errs.Internal, "object %s: %w", key, err)
	case kind == errs.NotFound:
		return errs.New(kind, "no object %s: %w", key, err)
	case kind == errs.Conflict:
		return errs.New(kind, "the object %s exists already: %w", key, err)
	default:
		return errs.New(kind, "object %s: %w", key, err)
	}
}

// digestOf finds an object's digest; "" when whoever wrote it left none.
func (s *Store) digestOf(ctx context.Context, key string, version *string, metadata map[string]string) (string, error) {
	if sum := metadata[digestName]; sum != "" {
		return sum, nil
	}
	out, err := s.api.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &s.bucket, Key: &key, VersionId: version})
	if err != nil {
		return "", classify(key, err)
	}
	for _, tag := range out.TagSet {
		if aws.ToString(tag.Key) == digestName {
			return aws.ToString(tag.Value), nil
		}
	}
	return "", nil
}

func (s *Store) tagDigest(ctx context.Context, key string, version *string, sum string) error {
	_, err := s.api.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{
		Bucket: &s.bucket, Key: &key, VersionId: version,
		Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String(digestName), Value: &sum}}},
	})
	if err != nil {
		return fmt.Errorf("tag digest: %w", classify(key, err))
	}
	return nil
}
