package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/perennial-llm/perennial/infra/constructs"
	"github.com/perennial-llm/perennial/pkg/config"
	"github.com/perennial-llm/perennial/pkg/identity"
)

// users are the people of a company: a pool with one group per role. Accounts are invited.
type users struct {
	pool   awscognito.UserPool
	client awscognito.UserPoolClient
}

// keepUsers are the actions with which the API checks passwords and keeps accounts.
var keepUsers = constructs.Actions{"cognito-idp:AdminInitiateAuth", "cognito-idp:AdminGetUser", "cognito-idp:AdminSetUserPassword",
	"cognito-idp:AdminUserGlobalSignOut", "cognito-idp:AdminCreateUser", "cognito-idp:AdminUpdateUserAttributes", "cognito-idp:AdminEnableUser",
	"cognito-idp:AdminDisableUser", "cognito-idp:AdminListGroupsForUser", "cognito-idp:AdminAddUserToGroup", "cognito-idp:AdminRemoveUserFromGroup"}

// serve lets the API's function sign people in.
func (u users) serve(f awslambda.Function) {
	f.AddToRolePolicy(keepUsers.On(u.pool.UserPoolArn()))
	f.AddEnvironment(jsii.String(config.UserPool), u.pool.UserPoolId(), nil)
	f.AddEnvironment(jsii.String(config.Client), u.client.UserPoolClientId(), nil)
}

func newUsers(st awscdk.Stack, s Settings) users {
	pool := awscognito.NewUserPool(st, jsii.String("Users"), &awscognito.UserPoolProps{
		UserPoolName: jsii.String(s.Prefix), SelfSignUpEnabled: jsii.Bool(false), SignInAliases: &awscognito.SignInAliases{Email: jsii.Bool(true)},
		SignInCaseSensitive: jsii.Bool(false), AccountRecovery: awscognito.AccountRecovery_EMAIL_ONLY, Mfa: awscognito.Mfa_OFF,
		DeletionProtection: jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
		// The same rule as on one machine: length counts, composition does not.
		PasswordPolicy: &awscognito.PasswordPolicy{MinLength: jsii.Number(identity.MinPassword), RequireDigits: jsii.Bool(false),
			RequireLowercase: jsii.Bool(false), RequireUppercase: jsii.Bool(false), RequireSymbols: jsii.Bool(false)},
		UserInvitation: &awscognito.UserInvitationConfig{EmailSubject: jsii.String("Your Perennial account"),
			EmailBody: jsii.String("Sign in as {username} with the one-time password {####} and choose your own.")},
	})
	u := users{pool: pool, client: newClient(pool)}
	groups := map[identity.Role]awscognito.CfnUserPoolGroup{}
	for _, role := range identity.Roles {
		groups[role] = awscognito.NewCfnUserPoolGroup(st, jsii.String("Group-"+string(role)), &awscognito.CfnUserPoolGroupProps{
			UserPoolId: pool.UserPoolId(), GroupName: jsii.String(string(role))})
	}
	if s.AdminEmail != "" {
		u.invite(st, s.AdminEmail, groups[identity.Admin])
	}
	awscdk.NewCfnOutput(st, jsii.String("UserPool"), &awscdk.CfnOutputProps{Value: pool.UserPoolId()})
	awscdk.NewCfnOutput(st, jsii.String("Client"), &awscdk.CfnOutputProps{Value: u.client.UserPoolClientId()})
	return u
}

// newClient is how the API checks passwords, and how programs of people get tokens by SRP. Who has a token
// may change no more of the account than the name.
func newClient(pool awscognito.UserPool) awscognito.UserPoolClient {
	name := awscognito.NewClientAttributes().WithStandardAttributes(&awscognito.StandardAttributesMask{Fullname: jsii.Bool(true)})
	return pool.AddClient(jsii.String("Web"), &awscognito.UserPoolClientOptions{
		AuthFlows:      &awscognito.AuthFlow{AdminUserPassword: jsii.Bool(true), UserSrp: jsii.Bool(true)},
		GenerateSecret: jsii.Bool(false), DisableOAuth: jsii.Bool(true), PreventUserExistenceErrors: jsii.Bool(true), EnableTokenRevocation: jsii.Bool(true),
		WriteAttributes: name, AccessTokenValidity: awscdk.Duration_Minutes(jsii.Number(15)), IdTokenValidity: awscdk.Duration_Minutes(jsii.Number(15)),
		RefreshTokenValidity: awscdk.Duration_Hours(jsii.Number(12))})
}

// invite makes the first account, to whom Cognito mails a one-time password. It stays when the setting goes.
func (u users) invite(st awscdk.Stack, email string, group awscognito.CfnUserPoolGroup) {
	user := awscognito.NewCfnUserPoolUser(st, jsii.String("FirstAdmin"), &awscognito.CfnUserPoolUserProps{
		UserPoolId: u.pool.UserPoolId(), Username: &email, DesiredDeliveryMediums: jsii.Strings("EMAIL"),
		UserAttributes: []any{map[string]string{"name": "email", "value": email}, map[string]string{"name": "email_verified", "value": "true"}}})
	member := awscognito.NewCfnUserPoolUserToGroupAttachment(st, jsii.String("FirstAdminIsAdmin"), &awscognito.CfnUserPoolUserToGroupAttachmentProps{
		UserPoolId: u.pool.UserPoolId(), Username: user.Ref(), GroupName: group.Ref()})
	for _, r := range []awscdk.CfnResource{user, member} {
		r.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	}
}
