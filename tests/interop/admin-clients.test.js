// @keycloak/keycloak-admin-client: clients, client scopes, protocol mappers, the roles of clients, and what tokens then say.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { administrator, claims, kc, makeRealm, refused, signIn, token } from './admin.js'

const realm = 'clients-made'
let app // the confidential client that the tests make
let tests // the public one that people sign in with
let alice

before(async () => {
  await administrator()
  await makeRealm(realm)
  ;[alice] = await kc.users.find({ realm, username: 'alice', exact: true })
  ;[tests] = await kc.clients.find({ realm, clientId: 'tests' })
})

after(() => kc.realms.del({ realm }))

const mapper = (name, protocolMapper, config) => ({ name, protocol: 'openid-connect', protocolMapper, config })
const everywhere = { 'access.token.claim': 'true', 'id.token.claim': 'true', 'userinfo.token.claim': 'true' }

test('a confidential client is made, read, changed, and gets tokens as itself', async () => {
  const { id } = await kc.clients.create({
    realm,
    clientId: 'app',
    name: 'An app',
    secret: 'first secret of app',
    serviceAccountsEnabled: true,
    directAccessGrantsEnabled: true,
    redirectUris: ['http://localhost:3000/*'],
    webOrigins: ['+'],
    attributes: { 'post.logout.redirect.uris': '+', 'access.token.lifespan': '120', mine: 'kept' },
  })
  app = await kc.clients.findOne({ realm, id })
  assert.deepEqual(
    [app.clientId, app.name, app.publicClient, app.serviceAccountsEnabled, app.attributes.mine, app.webOrigins],
    ['app', 'An app', false, true, 'kept', ['+']],
  )
  assert.equal((await kc.clients.getClientSecret({ realm, id })).value, 'first secret of app')
  const form = { grant_type: 'client_credentials', client_id: 'app', client_secret: 'first secret of app' }
  const answer = await token(realm, form)
  assert.equal(answer.expires_in, 120)
  assert.equal(claims(answer.access_token).preferred_username, 'service-account-app')
  await kc.clients.update({ realm, id }, { ...app, description: 'Changed', redirectUris: ['http://localhost:4000/*'] })
  const changed = await kc.clients.findOne({ realm, id })
  assert.deepEqual([changed.description, changed.redirectUris], ['Changed', ['http://localhost:4000/*']])
  const drawn = await kc.clients.generateNewClientSecret({ realm, id })
  assert.deepEqual([drawn.type, (await kc.clients.getClientSecret({ realm, id })).value], ['secret', drawn.value])
  await token(realm, { ...form, client_secret: drawn.value })
  const taken = await refused(kc.clients.create({ realm, clientId: 'app' }))
  assert.deepEqual([taken.status, taken.body.errorMessage], [409, 'Client app already exists'])
  assert.equal(await kc.clients.findOne({ realm, id: 'none' }), null)
})

test('clients are listed, searched and paged', async () => {
  const names = async (query) => (await kc.clients.find({ realm, ...query })).map((client) => client.clientId)
  assert.deepEqual(await names({ clientId: 'app' }), ['app'])
  assert.ok((await names({ clientId: 'ap', search: true })).includes('app'))
  assert.equal((await names({ first: 0, max: 2 })).length, 2)
  assert.deepEqual(await names({ q: 'mine:kept' }), ['app'])
  const all = await names()
  for (const name of ['account', 'account-console', 'admin-cli', 'realm-management', 'security-admin-console']) {
    assert.ok(all.includes(name), name)
  }
})

test('roles of a client are made, composed, given, and stand in tokens', async () => {
  const { id } = app
  await kc.clients.createRole({ realm, id, name: 'reader' })
  await kc.clients.createRole({ realm, id, name: 'writer', description: 'Writes' })
  const reader = await kc.clients.findRole({ realm, id, roleName: 'reader' })
  const writer = await kc.clients.findRole({ realm, id, roleName: 'writer' })
  assert.deepEqual([writer.clientRole, writer.containerId, writer.composite], [true, id, false])
  await kc.roles.createComposite({ realm, roleId: writer.id }, [reader])
  const below = await kc.roles.getCompositeRolesForClient({ realm, id: writer.id, clientId: id })
  assert.deepEqual(below.map((role) => role.name), ['reader'])
  assert.deepEqual(await kc.roles.getCompositeRolesForRealm({ realm, id: writer.id }), [])
  const of = { realm, id: alice.id, clientUniqueId: id }
  const available = await kc.users.listAvailableClientRoleMappings(of)
  assert.deepEqual(available.map((role) => role.name).sort(), ['reader', 'writer'])
  await kc.users.addClientRoleMappings({ ...of, roles: [{ id: writer.id, name: writer.name }] })
  assert.deepEqual((await kc.users.listClientRoleMappings(of)).map((role) => role.name), ['writer'])
  const effective = await kc.users.listCompositeClientRoleMappings(of)
  assert.deepEqual(effective.map((role) => role.name).sort(), ['reader', 'writer'])
  const all = await kc.users.listRoleMappings({ realm, id: alice.id })
  assert.deepEqual(all.clientMappings.app.mappings.map((role) => role.name), ['writer'])
  const found = await kc.clients.findUsersWithRole({ realm, id, roleName: 'writer' })
  assert.deepEqual(found.map((user) => user.username), ['alice'])
  const said = await signIn(realm, 'alice', 'alice')
  assert.deepEqual(said.resource_access.app.roles.toSorted(), ['reader', 'writer'])
  assert.ok([said.aud].flat().includes('app'))
  await kc.clients.updateRole({ realm, id, roleName: 'reader' }, { ...reader, name: 'viewer' })
  await kc.users.delClientRoleMappings({ ...of, roles: [{ id: writer.id, name: writer.name }] })
  await kc.clients.delRole({ realm, id, roleName: 'writer' })
  assert.deepEqual((await kc.clients.listRoles({ realm, id })).map((role) => role.name), ['viewer'])
  assert.equal((await signIn(realm, 'alice', 'alice')).resource_access?.app, undefined)
})

test('mappers of a client say more in its tokens', async () => {
  const { id } = tests
  const fixed = mapper('fixed', 'oidc-hardcoded-claim-mapper', {
    ...everywhere, 'claim.name': 'tenant.name', 'claim.value': 'acme', 'jsonType.label': 'String',
  })
  await kc.clients.addProtocolMapper({ realm, id }, fixed)
  await kc.clients.addMultipleProtocolMappers({ realm, id }, [
    mapper('team', 'oidc-usermodel-attribute-mapper', {
      ...everywhere, 'user.attribute': 'team', 'claim.name': 'team', 'jsonType.label': 'String', multivalued: 'true',
    }),
    mapper('for api', 'oidc-audience-mapper', { 'included.custom.audience': 'https://api.example.com', 'access.token.claim': 'true' }),
  ])
  await kc.users.update({ realm, id: alice.id }, { attributes: { team: ['red', 'blue'] } })
  const said = await signIn(realm, 'alice', 'alice')
  assert.deepEqual([said.tenant.name, said.team], ['acme', ['red', 'blue']])
  assert.ok([said.aud].flat().includes('https://api.example.com'))
  const there = await kc.clients.listProtocolMappers({ realm, id })
  assert.deepEqual(there.map((one) => one.name).sort(), ['fixed', 'for api', 'team'])
  const one = there.find((one) => one.name === 'fixed')
  await kc.clients.updateProtocolMapper(
    { realm, id, mapperId: one.id }, { ...one, config: { ...one.config, 'claim.value': 'other' } },
  )
  assert.equal((await kc.clients.findProtocolMapperById({ realm, id, mapperId: one.id })).config['claim.value'], 'other')
  assert.equal((await signIn(realm, 'alice', 'alice')).tenant.name, 'other')
  await kc.clients.delProtocolMapper({ realm, id, mapperId: one.id })
  assert.equal((await signIn(realm, 'alice', 'alice')).tenant, undefined)
  const twice = await refused(kc.clients.addProtocolMapper({ realm, id }, there.find((one) => one.name === 'team')))
  assert.equal(twice.status, 409)
})

test('a client scope with mappers works once a client has it, by default or when asked', async () => {
  const { id } = await kc.clientScopes.create({
    realm, name: 'shop', description: 'Shopping', protocol: 'openid-connect', attributes: { 'include.in.token.scope': 'true' },
  })
  await kc.clientScopes.addProtocolMapper({ realm, id }, mapper('cart', 'oidc-hardcoded-claim-mapper', {
    ...everywhere, 'claim.name': 'cart', 'claim.value': '7', 'jsonType.label': 'int',
  }))
  assert.equal((await kc.clientScopes.findOneByName({ realm, name: 'shop' })).id, id)
  assert.deepEqual((await kc.clientScopes.listProtocolMappers({ realm, id })).map((one) => one.name), ['cart'])
  assert.equal((await signIn(realm, 'alice', 'alice')).cart, undefined)
  const of = { realm, id: tests.id, clientScopeId: id }
  await kc.clients.addOptionalClientScope(of)
  assert.ok((await kc.clients.listOptionalClientScopes(of)).some((scope) => scope.name === 'shop'))
  assert.equal((await signIn(realm, 'alice', 'alice')).cart, undefined)
  const asked = await signIn(realm, 'alice', 'alice', { scope: 'openid shop' })
  assert.deepEqual([asked.cart, asked.scope.split(' ').includes('shop')], [7, true])
  await kc.clients.delOptionalClientScope(of)
  await kc.clients.addDefaultClientScope(of)
  assert.equal((await signIn(realm, 'alice', 'alice')).cart, 7)
  await kc.clientScopes.update({ realm, id }, { name: 'shop', protocol: 'openid-connect', description: 'Changed' })
  assert.equal((await kc.clientScopes.findOne({ realm, id })).description, 'Changed')
  assert.equal((await signIn(realm, 'alice', 'alice')).cart, 7)
  const taken = await refused(kc.clientScopes.create({ realm, name: 'shop', protocol: 'openid-connect' }))
  assert.deepEqual([taken.status, taken.body.errorMessage], [409, 'Client Scope shop already exists'])
  await kc.clients.delDefaultClientScope(of)
  await kc.clientScopes.del({ realm, id })
  assert.equal(await kc.clientScopes.findOne({ realm, id }), null)
})

test('default scopes of the realm go to clients that are made afterwards', async () => {
  const { id } = await kc.clientScopes.create({ realm, name: 'usual', protocol: 'openid-connect' })
  await kc.clientScopes.addDefaultClientScope({ realm, id })
  const names = async () => (await kc.clientScopes.listDefaultClientScopes({ realm })).map((scope) => scope.name)
  assert.ok((await names()).includes('usual'))
  const { id: made } = await kc.clients.create({ realm, clientId: 'later' })
  const own = await kc.clients.listDefaultClientScopes({ realm, id: made })
  assert.ok(own.some((scope) => scope.name === 'usual') && own.some((scope) => scope.name === 'basic'))
  await kc.clientScopes.delDefaultClientScope({ realm, id })
  assert.ok(!(await names()).includes('usual'))
  await kc.clientScopes.addDefaultOptionalClientScope({ realm, id })
  assert.ok((await kc.clientScopes.listDefaultOptionalClientScopes({ realm })).some((scope) => scope.name === 'usual'))
  await kc.clientScopes.delDefaultOptionalClientScope({ realm, id })
  await kc.clients.del({ realm, id: made })
})

test('scope mappings let roles through to a client that has not all of them', async () => {
  const { id } = tests
  await kc.roles.create({ realm, name: 'seen' })
  await kc.roles.create({ realm, name: 'hidden' })
  const [seen, hidden] = await Promise.all(['seen', 'hidden'].map((name) => kc.roles.findOneByName({ realm, name })))
  await kc.users.addRealmRoleMappings({ realm, id: alice.id, roles: [seen, hidden] })
  await kc.clients.update({ realm, id }, { clientId: 'tests', fullScopeAllowed: false })
  await kc.clients.addRealmScopeMappings({ realm, id }, [seen])
  assert.deepEqual((await kc.clients.listRealmScopeMappings({ realm, id })).map((role) => role.name), ['seen'])
  const available = await kc.clients.listAvailableRealmScopeMappings({ realm, id })
  assert.ok(available.some((role) => role.name === 'hidden') && !available.some((role) => role.name === 'seen'))
  assert.deepEqual((await signIn(realm, 'alice', 'alice')).realm_access.roles, ['seen'])
  const evaluate = { realm, id, userId: alice.id, scope: 'openid' }
  const shown = await kc.clients.evaluateGenerateAccessToken(evaluate)
  assert.deepEqual([shown.realm_access.roles, shown.preferred_username], [['seen'], 'alice'])
  assert.equal((await kc.clients.evaluateGenerateIdToken(evaluate)).given_name, 'Alice')
  assert.equal((await kc.clients.evaluateGenerateUserInfo(evaluate)).email, 'alice@example.com')
  const run = await kc.clients.evaluateListProtocolMapper({ realm, id, scope: 'openid' })
  assert.ok(run.some((one) => one.mapperName === 'username'))
  const granted = await kc.clients.evaluatePermission({ realm, id, roleContainer: realm, type: 'granted', scope: 'openid' })
  assert.deepEqual(granted.map((role) => role.name), ['seen'])
  await kc.clients.delRealmScopeMappings({ realm, id }, [seen])
  await kc.clients.update({ realm, id }, { clientId: 'tests', fullScopeAllowed: true })
})

test('the service account of a client is a user that gets roles', async () => {
  const user = await kc.clients.getServiceAccountUser({ realm, id: app.id })
  assert.equal(user.username, 'service-account-app')
  const management = (await kc.clients.find({ realm, clientId: 'realm-management' }))[0]
  const role = await kc.clients.findRole({ realm, id: management.id, roleName: 'view-users' })
  await kc.users.addClientRoleMappings({ realm, id: user.id, clientUniqueId: management.id, roles: [role] })
  const { value } = await kc.clients.getClientSecret({ realm, id: app.id })
  const own = new kc.constructor({ baseUrl: kc.baseUrl, realmName: realm })
  await own.auth({ grantType: 'client_credentials', clientId: 'app', clientSecret: value })
  assert.ok((await own.users.find({ realm })).some((one) => one.username === 'alice'))
  assert.equal((await refused(own.users.create({ realm, username: 'mallory' }))).status, 403)
})

test('sessions of a client are seen, and end with its user', async () => {
  const { id } = tests
  await signIn(realm, 'alice', 'alice')
  assert.ok((await kc.clients.getSessionCount({ realm, id })).count >= 1)
  const sessions = await kc.clients.listSessions({ realm, id })
  assert.ok(sessions.every((session) => session.username === 'alice' && session.clients[id] === 'tests'))
  await kc.realms.removeSession({ realm, sessionId: sessions[0].id })
  await kc.realms.logoutAll({ realm })
  assert.equal((await kc.clients.getSessionCount({ realm, id })).count, 0)
  await token(realm, { grant_type: 'password', client_id: 'tests', username: 'alice', password: 'alice', scope: 'openid offline_access' })
  assert.equal((await kc.clients.getOfflineSessionCount({ realm, id })).count, 1)
  const offline = await kc.users.listOfflineSessions({ realm, id: alice.id, clientId: id })
  assert.equal(offline.length, 1)
  assert.ok(Array.isArray(await kc.realms.getClientSessionStats({ realm })))
})

test('a client has a key made, or takes one from a file', async () => {
  const key = { realm, id: app.id, attr: 'jwt.credential' }
  const made = await kc.clients.generateKey(key)
  assert.ok(made.privateKey)
  assert.deepEqual(await kc.clients.getKeyInfo(key), { certificate: made.certificate })
  const form = new FormData()
  form.append('keystoreFormat', 'Certificate PEM')
  form.append('file', new Blob([`-----BEGIN CERTIFICATE-----\n${made.certificate}\n-----END CERTIFICATE-----\n`]), 'app.pem')
  await kc.clients.uploadKey(key, form)
  assert.deepEqual(await kc.clients.getKeyInfo(key), { certificate: made.certificate })
})

test('what there is nothing of is told as such', async () => {
  const nobody = { successRequests: [], failedRequests: [] }
  assert.deepEqual(await kc.realms.pushRevocation({ realm }), nobody)
  assert.deepEqual(await kc.clients.pushRevocation({ realm, id: app.id }), nobody)
  assert.deepEqual(await kc.clients.testNodesAvailable({ realm, id: app.id }), nobody)
  assert.deepEqual(await kc.clients.listFineGrainPermissions({ realm, id: app.id }), { enabled: false })
  assert.deepEqual(await kc.realms.getUsersManagementPermissions({ realm }), { enabled: false })
  assert.deepEqual(await kc.users.getUnmanagedAttributes({ realm, id: alice.id }), { team: ['red', 'blue'] })
  assert.deepEqual(await kc.realms.getClientRegistrationPolicyProviders({ realm }), [])
  const asked = await refused(kc.clients.updateFineGrainPermission({ realm, id: app.id }, { enabled: true }))
  assert.equal(asked.status, 501)
})

test('a client tells its keycloak.json, and goes', async () => {
  const file = await kc.clients.getInstallationProviders({ realm, id: app.id, providerId: 'keycloak-oidc-keycloak-json' })
  const shown = typeof file === 'string' ? JSON.parse(file) : file
  assert.deepEqual([shown.realm, shown.resource], [realm, 'app'])
  await kc.clients.del({ realm, id: app.id })
  assert.equal(await kc.clients.findOne({ realm, id: app.id }), null)
})
