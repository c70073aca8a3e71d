package cognito

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/perennial-llm/perennial/pkg/errs"
	"github.com/perennial-llm/perennial/pkg/identity"
)

// Put makes an account or changes it, with its groups. Nobody is mailed: who makes an account is shown its
// one-time password.
func (p *Pool) Put(ctx context.Context, a identity.Account) (string, error) {
	if err := p.create(ctx, a); err != nil {
		return "", err
	}
	if err := p.setGroups(ctx, a); err != nil {
		return "", err
	}
	if err := p.enable(ctx, a); err != nil {
		return "", err
	}
	c, err := p.lookUp(ctx, a.Login, false)
	return c.Subject, err
}

func (p *Pool) create(ctx context.Context, a identity.Account) error {
	name := types.AttributeType{Name: aws.String("name"), Value: &a.Name}
	_, err := p.api.AdminCreateUser(ctx, &idp.AdminCreateUserInput{UserPoolId: &p.id, Username: &a.Login, MessageAction: types.MessageActionTypeSuppress,
		UserAttributes: []types.AttributeType{name, {Name: aws.String("email"), Value: &a.Login}, {Name: aws.String("email_verified"), Value: aws.String("true")}}})
	var exists *types.UsernameExistsException
	if errors.As(err, &exists) {
		_, err = p.api.AdminUpdateUserAttributes(ctx, &idp.AdminUpdateUserAttributesInput{UserPoolId: &p.id, Username: &a.Login,
			UserAttributes: []types.AttributeType{name}})
	}
	var wrong *types.InvalidParameterException
	if errors.As(err, &wrong) {
		return errs.New(errs.Invalid, "Cognito refuses the account: %s", wrong.ErrorMessage()).At("login").Mend("use an e-mail address as the login")
	}
	if err != nil {
		return classify("make the account", err)
	}
	return nil
}

// setGroups adds before it removes, so that a failure in between takes nothing away.
func (p *Pool) setGroups(ctx context.Context, a identity.Account) error {
	names, err := p.groupsOf(ctx, a.Login)
	if err != nil {
		return err
	}
	had := identity.RolesOf(names)
	for _, role := range a.Roles {
		if slices.Contains(had, role) {
			continue
		}
		if _, err := p.api.AdminAddUserToGroup(ctx, &idp.AdminAddUserToGroupInput{UserPoolId: &p.id, Username: &a.Login, GroupName: aws.String(string(role))}); err != nil {
			return classify("add the account to the group "+string(role), err)
		}
	}
	for _, role := range had {
		if slices.Contains(a.Roles, role) {
			continue
		}
		if _, err := p.api.AdminRemoveUserFromGroup(ctx, &idp.AdminRemoveUserFromGroupInput{UserPoolId: &p.id, Username: &a.Login, GroupName: aws.String(string(role))}); err != nil {
			return classify("take the account out of the group "+string(role), err)
		}
	}
	return nil
}

func (p *Pool) enable(ctx context.Context, a identity.Account) error {
	if !a.Disabled {
		_, err := p.api.AdminEnableUser(ctx, &idp.AdminEnableUserInput{UserPoolId: &p.id, Username: &a.Login})
		return orClassified("switch the account on", err)
	}
	if _, err := p.api.AdminDisableUser(ctx, &idp.AdminDisableUserInput{UserPoolId: &p.id, Username: &a.Login}); err != nil {
		return classify("switch the account off", err)
	}
	return p.signOut(ctx, a.Login)
}

// signOut ends all tokens that renew themselves. Cognito takes no access tokens back: pkg/identity looks at
// when they were issued.
func (p *Pool) signOut(ctx context.Context, login string) error {
	_, err := p.api.AdminUserGlobalSignOut(ctx, &idp.AdminUserGlobalSignOutInput{UserPoolId: &p.id, Username: &login})
	return orClassified("end the account's sessions", err)
}

// SetPassword replaces a password.
func (p *Pool) SetPassword(ctx context.Context, subject, password string, once bool) error {
	_, err := p.api.AdminSetUserPassword(ctx, &idp.AdminSetUserPasswordInput{UserPoolId: &p.id, Username: &subject, Password: &password, Permanent: !once})
	if err != nil {
		return classify("set the password", err)
	}
	if once {
		return p.signOut(ctx, subject)
	}
	return nil
}

func orClassified(doing string, err error) error {
	if err != nil {
		return classify(doing, err)
	}
	return nil
}
