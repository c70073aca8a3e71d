package s3

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/object"
)

// UploadAPI is what the adapter calls of S3 for multipart uploads.
type UploadAPI interface {
	CreateMultipartUpload(
		context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options),
	) (*s3.CreateMultipartUploadOutput, error)
	UploadPart(context.Context, *s3.UploadPartInput, ...func(*s3.Options)) (*s3.UploadPartOutput, error)
	CompleteMultipartUpload(
		context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options),
	) (*s3.CompleteMultipartUploadOutput, error)
	AbortMultipartUpload(
		context.Context, *s3.AbortMultipartUploadInput, ...func(*s3.Options),
	) (*s3.AbortMultipartUploadOutput, error)
	ListParts(context.Context, *s3.ListPartsInput, ...func(*s3.Options)) (*s3.ListPartsOutput, error)
}

// Create begins an upload.
func (s *Store) Create(ctx context.Context, key string) (string, error) {
	if err := object.CheckKey(key); err != nil {
		return "", err
	}
	out, err := s.api.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &s.bucket, Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		return "", classify(key, err)
	}
	return aws.ToString(out.UploadId), nil
}

func noUpload(id string) error {
	return errs.New(errs.NotFound, "no upload %q of this object", id).Mend("begin the upload again")
}

// PutPart stores a part.
func (s *Store) PutPart(ctx context.Context, key, id string, number int, r io.Reader) (object.Part, error) {
	if number < 1 || number > object.MaxNumber {
		return object.Part{}, errs.New(errs.Invalid, "part %d is not within 1 and %d", number, object.MaxNumber)
	}
	if id == "" {
		return object.Part{}, noUpload(id)
	}
	d, err := spool(ctx, r)
	if err != nil {
		return object.Part{}, err
	}
	defer d.drop()
	body, err := d.reader()
	if err != nil {
		return object.Part{}, err
	}
	out, err := s.api.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &s.bucket, Key: &key, UploadId: &id, PartNumber: aws.Int32(int32(number)), Body: body, ContentLength: &d.size,
		ChecksumSHA256: aws.String(d.base64()),
	})
	if err != nil {
		return object.Part{}, classify(key, err)
	}
	return object.Part{Number: number, Size: d.size, SHA256: d.hex(), Tag: aws.ToString(out.ETag)}, nil
}

// Parts gives the stored parts.
func (s *Store) Parts(ctx context.Context, key, id string) ([]object.Part, error) {
	if id == "" {
		return nil, noUpload(id)
	}
	input := &s3.ListPartsInput{Bucket: &s.bucket, Key: &key, UploadId: &id}
	parts := []object.Part{}
	for {
		out, err := s.api.ListParts(ctx, input)
		if err != nil {
			return nil, classify(key, err)
		}
		for _, p := range out.Parts {
			parts = append(parts, object.Part{
				Number: int(aws.ToInt32(p.PartNumber)), Size: aws.ToInt64(p.Size), SHA256: toHex(p.ChecksumSHA256), Tag: aws.ToString(p.ETag),
			})
		}
		if !aws.ToBool(out.IsTruncated) {
			return parts, nil
		}
		input.PartNumberMarker = out.NextPartNumberMarker
	}
}

func toHex(b64 *string) string {
	raw, err := base64.StdEncoding.DecodeString(aws.ToString(b64))
	if err != nil {
		return ""
	}
	return hex.EncodeToString(raw)
}

func toBase64(sum string) *string {
	raw, err := hex.DecodeString(sum)
	if err != nil || len(raw) == 0 {
		return nil
	}
	return aws.String(base64.StdEncoding.EncodeToString(raw))
}

// Complete joins the parts, then reads the object once for its digest, unless opt.Unread: S3 itself
// knows only those of the parts, and compares them. Should the digest not be the one asked for, that
// version is removed again.
func (s *Store) Complete(
	ctx context.Context, key, id string, parts []object.Part, opt object.PutOptions,
) (object.Info, error) {
	if err := checkComplete(id, parts); err != nil {
		return object.Info{}, err
	}
	input := &s3.CompleteMultipartUploadInput{
		Bucket: &s.bucket, Key: &key, UploadId: &id, MultipartUpload: &types.CompletedMultipartUpload{Parts: completed(parts)},
	}
	if opt.IfAbsent {
		input.IfNoneMatch = aws.String("*")
	}
	out, err := s.api.CompleteMultipartUpload(ctx, input)
	if err != nil {
		return object.Info{}, classify(key, err)
	}
	if opt.Unread && opt.SHA256 == "" {
		return s.head(ctx, key, out.VersionId)
	}
	return s.seal(ctx, key, out.VersionId, opt.SHA256)
}

// checkComplete finds early what S3 would find late.
func checkComplete(id string, parts []object.Part) error {
	if id == "" {
		return noUpload(id)
	}
	if len(parts) == 0 {
		return errs.New(errs.Invalid, "an upload needs a part")
	}
	for i := range parts[1:] {
		if parts[i+1].Number <= parts[i].Number {
			return errs.New(errs.Invalid, "parts are not in order of their numbers")
		}
	}
	return nil
}

func completed(parts []object.Part) []types.CompletedPart {
	all := make([]types.CompletedPart, len(parts))
	for i, p := range parts {
		all[i] = types.CompletedPart{ETag: aws.String(p.Tag), PartNumber: aws.Int32(int32(p.Number)), ChecksumSHA256: toBase64(p.SHA256)}
	}
	return all
}

// seal digests a new version and tags it.
func (s *Store) seal(ctx context.Context, key string, version *string, want string) (object.Info, error) {
	out, err := s.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key, VersionId: version})
	if err != nil {
		return object.Info{}, classify(key, err)
	}
	defer func() { _ = out.Body.Close() }()
	sum := sha256.New()
	n, err := io.Copy(sum, out.Body)
	if err != nil {
		return object.Info{}, fmt.Errorf("digest object: %w", err)
	}
	got := hex.EncodeToString(sum.Sum(nil))
	if want != "" && got != want {
		_, err := s.api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key, VersionId: version})
		if err != nil {
			return object.Info{}, classify(key, err)
		}
		return object.Info{}, errs.New(errs.Invalid, "the content has the digest %s, not %s", got, want)
	}
	info := object.Info{Key: key, Version: aws.ToString(version), Size: n, SHA256: got, Modified: aws.ToTime(out.LastModified)}
	return info, s.tagDigest(ctx, key, version, got)
}

// Abort drops an upload.
func (s *Store) Abort(ctx context.Context, key, id string) error {
	if id == "" {
		return nil
	}
	_, err := s.api.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: &key, UploadId: &id})
	if err = classify(key, err); errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}
