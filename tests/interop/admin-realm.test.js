// @keycloak/keycloak-admin-client: what a realm has beside people and clients: components, identity providers, flows, events.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { administrator, baseUrl, kc, makeRealm, refused, signIn } from './admin.js'

const realm = 'beside-made'
let alice

before(async () => {
  await administrator()
  await makeRealm(realm, { bruteForceProtected: true })
  ;[alice] = await kc.users.find({ realm, username: 'alice', exact: true })
})

after(() => kc.realms.del({ realm }))

test('components are kept, found by type, changed and taken away', async () => {
  const type = 'org.keycloak.storage.UserStorageProvider'
  const { id } = await kc.components.create({
    realm, name: 'people', providerId: 'ldap', providerType: type, config: { vendor: ['other'], bindCredential: ['bind secret'] },
  })
  const made = await kc.components.findOne({ realm, id })
  assert.deepEqual([made.config.vendor, made.config.bindCredential], [['other'], ['**********']])
  assert.deepEqual((await kc.components.find({ realm, type })).map((one) => one.id), [id])
  await kc.components.update({ realm, id }, { ...made, name: 'folk' })
  assert.equal((await kc.components.findOne({ realm, id })).name, 'folk')
  const keys = await kc.components.find({ realm, type: 'org.keycloak.keys.KeyProvider' })
  assert.ok(keys.length >= 1 && keys.every((one) => one.parentId === made.parentId))
  await kc.components.del({ realm, id })
  assert.equal(await kc.components.findOne({ realm, id }), null)
})

test('the user profile is read and kept', async () => {
  const profile = await kc.users.getProfile({ realm })
  assert.ok(profile.attributes.some((attribute) => attribute.name === 'username'))
  profile.attributes.push({ name: 'phone', permissions: { view: ['admin'], edit: ['admin'] }, multivalued: false })
  await kc.users.updateProfile({ realm, ...profile })
  assert.ok((await kc.users.getProfile({ realm })).attributes.some((attribute) => attribute.name === 'phone'))
  assert.ok((await kc.users.getProfileMetadata({ realm })).attributes.some((attribute) => attribute.name === 'phone'))
})

test('identity providers and their mappers are kept with their secrets masked', async () => {
  const config = { clientId: 'us', clientSecret: 'theirs', authorizationUrl: 'https://id.example.com/auth', tokenUrl: 'https://id.example.com/token' }
  await kc.identityProviders.create({ realm, alias: 'corp', displayName: 'Corporate', providerId: 'oidc', enabled: true, config })
  const made = await kc.identityProviders.findOne({ realm, alias: 'corp' })
  assert.deepEqual([made.displayName, made.config.clientId, made.config.clientSecret], ['Corporate', 'us', '**********'])
  await kc.identityProviders.update({ realm, alias: 'corp' }, { ...made, displayName: 'Company' })
  assert.deepEqual((await kc.identityProviders.find({ realm })).map((one) => one.displayName), ['Company'])
  const taken = await refused(kc.identityProviders.create({ realm, alias: 'corp', providerId: 'oidc' }))
  assert.equal(taken.status, 409)
  const { id } = await kc.identityProviders.createMapper({
    realm,
    alias: 'corp',
    identityProviderMapper: {
      name: 'email', identityProviderAlias: 'corp', identityProviderMapper: 'oidc-user-attribute-idp-mapper',
      config: { claim: 'email', 'user.attribute': 'email', syncMode: 'INHERIT' },
    },
  })
  const found = await kc.identityProviders.findOneMapper({ realm, alias: 'corp', id })
  assert.equal(found.config['user.attribute'], 'email')
  await kc.identityProviders.updateMapper({ realm, alias: 'corp', id }, { ...found, config: { ...found.config, claim: 'mail' } })
  assert.deepEqual((await kc.identityProviders.findMappers({ realm, alias: 'corp' })).map((one) => one.config.claim), ['mail'])
  await kc.users.addToFederatedIdentity({
    realm, id: alice.id, federatedIdentityId: 'corp', federatedIdentity: { identityProvider: 'corp', userId: 'u1', userName: 'ally' },
  })
  const linked = await kc.users.listFederatedIdentities({ realm, id: alice.id })
  assert.deepEqual(linked, [{ identityProvider: 'corp', userId: 'u1', userName: 'ally' }])
  await kc.users.delFromFederatedIdentity({ realm, id: alice.id, federatedIdentityId: 'corp' })
  await kc.identityProviders.delMapper({ realm, alias: 'corp', id })
  await kc.identityProviders.del({ realm, alias: 'corp' })
  assert.equal(await kc.identityProviders.findOne({ realm, alias: 'corp' }), null)
})

test('events tell of sign-ins, admin events of changes', async () => {
  await kc.roles.create({ realm, name: 'told' })
  await signIn(realm, 'alice', 'alice')
  const admin = await kc.realms.findAdminEvents({ realm, operationTypes: 'CREATE', max: 50 })
  assert.ok(admin.some((event) => event.resourceType === 'REALM_ROLE' && event.resourcePath.startsWith('roles')))
  const events = await kc.realms.findEvents({ realm, type: 'LOGIN', user: alice.id })
  assert.ok(events.length >= 1 && events.every((event) => event.type === 'LOGIN' && event.userId === alice.id))
  await kc.realms.updateConfigEvents({ realm }, { eventsEnabled: true, eventsListeners: ['jboss-logging'], enabledEventTypes: ['LOGIN'] })
  assert.deepEqual((await kc.realms.getConfigEvents({ realm })).enabledEventTypes, ['LOGIN'])
  await kc.realms.clearEvents({ realm })
  await kc.realms.clearAdminEvents({ realm })
  assert.deepEqual(await kc.realms.findEvents({ realm }), [])
})

test('the brake on guessing is told of a user, and forgotten', async () => {
  const wrong = { grant_type: 'password', client_id: 'tests', username: 'alice', password: 'guess' }
  for (let times = 0; times < 2; times += 1) {
    const address = `${baseUrl}/realms/${realm}/protocol/openid-connect/token`
    assert.equal((await fetch(address, { method: 'POST', body: new URLSearchParams(wrong) })).status, 401)
  }
  const status = await kc.attackDetection.findOne({ realm, id: alice.id })
  assert.deepEqual([status.numFailures, status.disabled], [2, false])
  await kc.attackDetection.del({ realm, id: alice.id })
  assert.equal((await kc.attackDetection.findOne({ realm, id: alice.id })).numFailures, 0)
  await kc.attackDetection.delAll({ realm })
})

test('an initial access token registers a client', async () => {
  const made = await kc.realms.createClientsInitialAccess({ realm }, { count: 1, expiration: 60 })
  const listed = await kc.realms.getClientsInitialAccess({ realm })
  assert.deepEqual(listed.map((one) => [one.id, one.count, one.remainingCount, one.token]), [[made.id, 1, 1, undefined]])
  const register = () => fetch(`${baseUrl}/realms/${realm}/clients-registrations/openid-connect`, {
    method: 'POST',
    headers: { authorization: `Bearer ${made.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Registered', redirect_uris: ['http://localhost:9000/cb'] }),
  })
  const registered = await register()
  assert.equal(registered.status, 201)
  const { client_id: clientId } = await registered.json()
  assert.equal((await kc.clients.find({ realm, clientId })).length, 1)
  assert.equal((await register()).status, 401)
  const { id } = await kc.realms.createClientsInitialAccess({ realm }, { count: 2 })
  await kc.realms.delClientsInitialAccess({ realm, id })
})

test('default groups take in who is made afterwards', async () => {
  const { id } = await kc.groups.create({ realm, name: 'everyone' })
  await kc.realms.addDefaultGroup({ realm, id })
  assert.deepEqual((await kc.realms.getDefaultGroups({ realm })).map((group) => group.path), ['/everyone'])
  const { id: user } = await kc.users.create({ realm, username: 'later', enabled: true })
  assert.deepEqual((await kc.users.listGroups({ realm, id: user })).map((group) => group.name), ['everyone'])
  await kc.realms.removeDefaultGroup({ realm, id })
  await kc.groups.del({ realm, id })
})

test('flows are made, copied, filled with steps and settings, and taken away', async () => {
  const auth = kc.authenticationManagement
  const flows = await auth.getFlows({ realm })
  assert.ok(['browser', 'direct grant', 'registration'].every((alias) => flows.some((flow) => flow.alias === alias)))
  await auth.copyFlow({ realm, flow: 'browser', newName: 'browser copy' })
  const copied = await auth.getExecutions({ realm, flow: 'browser copy' })
  assert.equal(copied.length, (await auth.getExecutions({ realm, flow: 'browser' })).length)
  const { id: made } = await auth.createFlow({ realm, alias: 'mine', description: '', providerId: 'basic-flow', topLevel: true, builtIn: false })
  const { id: step } = await auth.addExecutionToFlow({ realm, flow: 'mine', provider: 'auth-cookie' })
  const { id: other } = await auth.addExecutionToFlow({ realm, flow: 'mine', provider: 'identity-provider-redirector' })
  const { id: below } = await auth.addFlowToFlow({
    realm, flow: 'mine', alias: 'mine forms', type: 'basic-flow', description: '', provider: 'registration-page-form',
  })
  await auth.updateExecution({ realm, flow: 'mine' }, { id: step, requirement: 'ALTERNATIVE' })
  await auth.raisePriorityExecution({ realm, id: other })
  const shown = await auth.getExecutions({ realm, flow: 'mine' })
  assert.deepEqual(shown.map((one) => one.id).slice(0, 2), [other, step])
  assert.deepEqual([shown[1].requirement, shown[2].flowId], ['ALTERNATIVE', below])
  const { id: config } = await auth.createConfig({ realm, id: other, alias: 'to corp', config: { defaultProvider: 'corp' } })
  await auth.updateConfig({ realm, id: config, alias: 'to corp', config: { defaultProvider: 'other' } })
  assert.equal((await auth.getConfig({ realm, id: config })).config.defaultProvider, 'other')
  await auth.delConfig({ realm, id: config })
  await auth.lowerPriorityExecution({ realm, id: other })
  await auth.delExecution({ realm, id: other })
  await auth.updateFlow({ realm, flowId: made }, { alias: 'ours', description: 'Changed', providerId: 'basic-flow', topLevel: true, builtIn: false })
  assert.equal((await auth.getFlow({ realm, flowId: made })).alias, 'ours')
  await auth.deleteFlow({ realm, flowId: made })
  assert.ok(!(await auth.getFlows({ realm })).some((flow) => flow.alias === 'ours'))
  assert.ok((await auth.getAuthenticatorProviders({ realm })).some((one) => one.id === 'auth-otp-form'))
  assert.equal((await auth.getConfigDescription({ realm, providerId: 'auth-cookie' })).providerId, 'auth-cookie')
})

test('required actions are changed, taken away and registered again', async () => {
  const auth = kc.authenticationManagement
  const actions = await auth.getRequiredActions({ realm })
  assert.ok(actions.some((action) => action.alias === 'UPDATE_PASSWORD' && action.enabled))
  await auth.updateRequiredAction({ realm, alias: 'VERIFY_EMAIL' }, { alias: 'VERIFY_EMAIL', enabled: false })
  assert.equal((await auth.getRequiredActionForAlias({ realm, alias: 'VERIFY_EMAIL' })).enabled, false)
  await auth.raiseRequiredActionPriority({ realm, alias: 'VERIFY_EMAIL' })
  await auth.lowerRequiredActionPriority({ realm, alias: 'VERIFY_EMAIL' })
  await auth.deleteRequiredAction({ realm, alias: 'VERIFY_EMAIL' })
  const [free] = await auth.getUnregisteredRequiredActions({ realm })
  assert.equal(free.providerId, 'VERIFY_EMAIL')
  await auth.registerRequiredAction({ realm, ...free })
  assert.deepEqual(await auth.getUnregisteredRequiredActions({ realm }), [])
})

test('policies of clients and texts of its own are kept with the realm', async () => {
  const profiles = [{ name: 'ours', description: 'Ours', executors: [{ executor: 'pkce-enforcer', configuration: { 'auto-configure': true } }] }]
  await kc.clientPolicies.createProfiles({ realm, profiles })
  assert.deepEqual((await kc.clientPolicies.listProfiles({ realm })).profiles, profiles)
  const policies = [{ name: 'all', enabled: true, conditions: [{ condition: 'any-client', configuration: {} }], profiles: ['ours'] }]
  await kc.clientPolicies.updatePolicy({ realm, policies })
  assert.deepEqual((await kc.clientPolicies.listPolicies({ realm })).policies, policies)
  await kc.realms.addLocalization({ realm, selectedLocale: 'de', key: 'loginTitle' }, 'Anmelden bei uns')
  assert.deepEqual(await kc.realms.getRealmSpecificLocales({ realm }), ['de'])
  assert.deepEqual(await kc.realms.getRealmLocalizationTexts({ realm, selectedLocale: 'de' }), { loginTitle: 'Anmelden bei uns' })
  await kc.realms.deleteRealmLocalizationTexts({ realm, selectedLocale: 'de', key: 'loginTitle' })
  assert.deepEqual(await kc.realms.getRealmSpecificLocales({ realm }), [])
})

test('settings of a provider are read from its metadata', async () => {
  const fromUrl = `${baseUrl}/realms/main/.well-known/openid-configuration`
  const config = await kc.identityProviders.importFromUrl({ realm, fromUrl, providerId: 'oidc' })
  assert.equal(config.issuer, `${baseUrl}/realms/main`)
  assert.equal(config.useJwksUrl, 'true')
})

test('without a mail server a new password is asked for at the next sign-in', async () => {
  await kc.users.executeActionsEmail({ realm, id: alice.id, actions: ['UPDATE_PASSWORD'] })
  assert.deepEqual((await kc.users.findOne({ realm, id: alice.id })).requiredActions, ['UPDATE_PASSWORD'])
  assert.equal((await refused(kc.users.sendVerifyEmail({ realm, id: alice.id }))).status, 500)
})

test('a browser becomes the user whom an administrator acts as', async () => {
  const before = (await kc.users.listSessions({ realm, id: alice.id })).length
  const answer = await kc.users.impersonation({ realm, id: alice.id }, { user: alice.id, realm })
  assert.deepEqual([answer.sameRealm, new URL(answer.redirect).pathname], [false, `/realms/${realm}/account/`])
  assert.equal((await kc.users.listSessions({ realm, id: alice.id })).length, before + 1)
})

test('caches are cleared, consents listed', async () => {
  await kc.cache.clearUserCache({ realm })
  assert.deepEqual(await kc.users.listConsents({ realm, id: alice.id }), [])
})
