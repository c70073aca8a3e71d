package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// Get opens the object. Read whole, its content is compared with its digest.
func (s *Store) Get(ctx context.Context, key string, offset int64) (io.ReadCloser, object.Info, error) {
	return s.get(ctx, key, nil, offset)
}

// GetVersion opens one version.
func (s *Store) GetVersion(ctx context.Context, key, version string, offset int64) (io.ReadCloser, object.Info, error) {
	r, info, err := s.get(ctx, key, &version, offset)
	if code(err) == "InvalidArgument" { // how S3 calls a version id that it never gave
		err = errs.New(errs.NotFound, "no version %s of object %s", version, key)
	}
	return r, info, err
}

func (s *Store) get(ctx context.Context, key string, version *string, offset int64) (io.ReadCloser, object.Info, error) {
	if err := object.CheckKey(key); err != nil {
		return nil, object.Info{}, err
	}
	if offset != 0 {
		return s.getFrom(ctx, key, version, offset)
	}
	out, err := s.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key, VersionId: version})
	if err != nil {
		return nil, object.Info{}, classify(key, err)
	}
	info := object.Info{
		Key: key, Version: aws.ToString(out.VersionId), Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified),
	}
	if info.SHA256, err = s.digestOf(ctx, key, out.VersionId, out.Metadata); err != nil {
		_ = out.Body.Close()
		return nil, object.Info{}, err
	}
	return object.Verified(out.Body, info), info, nil
}

// getFrom opens the object from an offset on. S3 refuses a range at the very end, so it is asked for
// the size first; the version it names is then the one that is read.
func (s *Store) getFrom(ctx context.Context, key string, version *string, offset int64) (io.ReadCloser, object.Info, error) {
	info, err := s.head(ctx, key, version)
	if err != nil {
		return nil, object.Info{}, err
	}
	if err := object.CheckOffset(offset, info.Size); err != nil {
		return nil, object.Info{}, err
	}
	if offset == info.Size {
		return io.NopCloser(bytes.NewReader(nil)), info, nil
	}
	if info.Version != "" {
		version = &info.Version
	}
	out, err := s.api.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.bucket, Key: &key, VersionId: version, Range: aws.String(fmt.Sprintf("bytes=%d-", offset)),
	})
	if err != nil {
		return nil, object.Info{}, classify(key, err)
	}
	return out.Body, info, nil
}

func (s *Store) head(ctx context.Context, key string, version *string) (object.Info, error) {
	out, err := s.api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key, VersionId: version})
	if err != nil {
		return object.Info{}, classify(key, err)
	}
	info := object.Info{
		Key: key, Version: aws.ToString(out.VersionId), Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified),
	}
	info.SHA256, err = s.digestOf(ctx, key, out.VersionId, out.Metadata)
	return info, err
}

// Versions lists the versions of an object, newest first, without deletions and digests.
func (s *Store) Versions(ctx context.Context, key string) ([]object.Info, error) {
	if err := object.CheckKey(key); err != nil {
		return nil, err
	}
	input := &s3.ListObjectVersionsInput{Bucket: &s.bucket, Prefix: &key}
	infos := []object.Info{}
	for {
		out, err := s.api.ListObjectVersions(ctx, input)
		if err != nil {
			return nil, classify(key, err)
		}
		for _, v := range out.Versions {
			if aws.ToString(v.Key) == key {
				infos = append(infos, object.Info{
					Key: key, Version: aws.ToString(v.VersionId), Size: aws.ToInt64(v.Size), Modified: aws.ToTime(v.LastModified),
				})
			}
		}
		if !aws.ToBool(out.IsTruncated) || aws.ToString(out.NextKeyMarker) != key {
			return infos, nil
		}
		input.KeyMarker, input.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
}
