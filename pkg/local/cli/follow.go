package cli

import (
	"context"
	"fmt"
	"net/url"

	"github.com/perennial-llm/perennial/pkg/rollout"
)

// Decide sends a decision on an approval at the revision that was seen.
func (c *Client) Decide(ctx context.Context, seen rollout.Approval, in, out any) error {
	return c.call(ctx, "POST", "/v1/approvals/"+url.PathEscape(seen.ID)+"/decisions", in, out, "If-Match", fmt.Sprintf("%q", fmt.Sprint(seen.Rev)))
}

// RollBack goes back in an environment and waits until that is verified or has failed.
func (c *Client) RollBack(ctx context.Context, model, env string, in any) (rollout.Rollback, error) {
	var rb rollout.Rollback
	path := fmt.Sprintf("/v1/models/%s/environments/%s/rollbacks", url.PathEscape(model), url.PathEscape(env))
	if err := c.Post(ctx, path, in, &rb); err != nil {
		return rb, err
	}
	err := poll(ctx, every, func() (bool, error) {
		err := c.Get(ctx, "/v1/rollbacks/"+url.PathEscape(rb.ID), &rb)
		return rb.Status == "Done" || rb.Status == "Failed", err
	})
	return rb, err
}

// FollowRelease polls a release until it ends.
func (c *Client) FollowRelease(ctx context.Context, id string, each func(rollout.Release)) (rollout.Release, error) {
	var r rollout.Release
	err := poll(ctx, every, func() (bool, error) {
		err := c.Get(ctx, "/v1/releases/"+url.PathEscape(id), &r)
		if err == nil {
			each(r)
		}
		return !r.Ended.IsZero(), err
	})
	return r, err
}
