// @keycloak/keycloak-admin-client, as provisioning scripts and tests use it: realms, users, roles, groups.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import KcAdminClient from '@keycloak/keycloak-admin-client'
import { administrator, baseUrl, kc, refused, signIn } from './admin.js'

const realm = 'made'

before(administrator)

test('the server says which Keycloak it stands in for', async () => {
  const info = await kc.serverInfo.find()
  assert.match(info.systemInfo.version, /^26\.\d+\.\d+$/)
})

test('a realm is made with a client and a person, who signs in', async () => {
  await kc.realms.create({
    realm,
    enabled: true,
    clients: [{ clientId: 'tests', publicClient: true, directAccessGrantsEnabled: true, redirectUris: ['http://localhost/*'] }],
    users: [{
      username: 'alice',
      enabled: true,
      credentials: [{ type: 'password', value: 'alice', temporary: false }],
      realmRoles: ['user'],
    }],
    roles: { realm: [{ name: 'user' }] },
  })
  assert.equal((await kc.realms.findOne({ realm })).realm, realm)
  assert.ok((await kc.realms.find()).some((one) => one.realm === realm))
  const claims = await signIn(realm, 'alice', 'alice')
  assert.deepEqual(claims.realm_access.roles, ['user'])
  const again = await refused(kc.realms.create({ realm }))
  assert.equal(again.status, 409)
})

test('settings of the realm change, and their kept ones come back', async () => {
  await kc.realms.update({ realm }, { accessTokenLifespan: 77, attributes: { frontendUrl: '', mine: 'kept' } })
  const found = await kc.realms.findOne({ realm })
  assert.equal(found.accessTokenLifespan, 77)
  assert.equal(found.attributes.mine, 'kept')
  const keys = await kc.realms.getKeys({ realm })
  assert.ok(keys.keys.some((key) => key.kid === keys.active.RS256))
})

test('a user is made, found, changed and signs in', async () => {
  const { id } = await kc.users.create({
    realm,
    username: 'bob',
    email: 'bob@example.com',
    firstName: 'Bob',
    lastName: 'Builder',
    enabled: true,
    emailVerified: true,
    attributes: { team: ['red'] },
  })
  await kc.users.resetPassword({ realm, id, credential: { type: 'password', value: 'secret', temporary: false } })
  assert.equal((await signIn(realm, 'bob', 'secret')).sub, id)
  assert.deepEqual((await kc.users.find({ realm, username: 'bob', exact: true })).map((user) => user.id), [id])
  assert.deepEqual((await kc.users.find({ realm, q: 'team:red' })).map((user) => user.username), ['bob'])
  assert.equal(await kc.users.count({ realm, search: 'bui' }), 1)
  await kc.users.update({ realm, id }, { firstName: 'Robert' })
  const found = await kc.users.findOne({ realm, id })
  assert.deepEqual([found.firstName, found.lastName, found.attributes.team], ['Robert', 'Builder', ['red']])
  const credentials = await kc.users.getCredentials({ realm, id })
  assert.deepEqual(credentials.map((one) => [one.type, one.secretData]), [['password', undefined]])
  const sessions = await kc.users.listSessions({ realm, id })
  assert.equal(sessions.length, 1)
  await kc.users.logout({ realm, id })
  assert.deepEqual(await kc.users.listSessions({ realm, id }), [])
  const taken = await refused(kc.users.create({ realm, username: 'bob' }))
  assert.deepEqual([taken.status, taken.body.errorMessage], [409, 'User exists with same username'])
  assert.equal(await kc.users.findOne({ realm, id: 'nobody' }), null)
})

test('roles are made, composed and given', async () => {
  const { roleName } = await kc.roles.create({ realm, name: 'manager', description: 'Manages' })
  const manager = await kc.roles.findOneByName({ realm, name: roleName })
  const user = await kc.roles.findOneByName({ realm, name: 'user' })
  await kc.roles.createComposite({ realm, roleId: manager.id }, [user])
  assert.deepEqual((await kc.roles.getCompositeRoles({ realm, id: manager.id })).map((role) => role.name), ['user'])
  const [bob] = await kc.users.find({ realm, username: 'bob' })
  await kc.users.addRealmRoleMappings({ realm, id: bob.id, roles: [{ id: manager.id, name: manager.name }] })
  const given = await kc.users.listRealmRoleMappings({ realm, id: bob.id })
  assert.ok(given.some((role) => role.name === 'manager'))
  const effective = await kc.users.listCompositeRealmRoleMappings({ realm, id: bob.id })
  assert.ok(effective.some((role) => role.name === 'user'))
  assert.deepEqual((await kc.roles.findUsersWithRole({ realm, name: 'manager' })).map((one) => one.username), ['bob'])
  const claims = await signIn(realm, 'bob', 'secret')
  assert.ok(claims.realm_access.roles.includes('manager') && claims.realm_access.roles.includes('user'))
  await kc.users.delRealmRoleMappings({ realm, id: bob.id, roles: [{ id: manager.id, name: manager.name }] })
  await kc.roles.updateById({ realm, id: manager.id }, { name: 'boss' })
  await kc.roles.delByName({ realm, name: 'boss' })
  assert.ok(!(await kc.roles.find({ realm })).some((role) => role.name === 'boss'))
})

test('groups grow into a tree with members and roles', async () => {
  const { id: top } = await kc.groups.create({ realm, name: 'staff', attributes: { floor: ['1'] } })
  const { id: child } = await kc.groups.createChildGroup({ realm, id: top }, { name: 'board' })
  const user = await kc.roles.findOneByName({ realm, name: 'user' })
  await kc.groups.addRealmRoleMappings({ realm, id: top, roles: [{ id: user.id, name: user.name }] })
  const [bob] = await kc.users.find({ realm, username: 'bob' })
  await kc.users.addToGroup({ realm, id: bob.id, groupId: child })
  assert.deepEqual((await kc.groups.listMembers({ realm, id: child })).map((one) => one.username), ['bob'])
  assert.deepEqual((await kc.users.listGroups({ realm, id: bob.id })).map((group) => group.path), ['/staff/board'])
  assert.deepEqual((await kc.groups.listSubGroups({ realm, parentId: top })).map((group) => group.name), ['board'])
  assert.equal((await kc.groups.count({ realm })).count, 2)
  assert.ok((await signIn(realm, 'bob', 'secret')).realm_access.roles.includes('user'))
  await kc.users.delFromGroup({ realm, id: bob.id, groupId: child })
  await kc.groups.del({ realm, id: top })
  assert.deepEqual(await kc.groups.find({ realm }), [])
})

test('records come by a partial import, and go out by a partial export', async () => {
  const rep = { ifResourceExists: 'SKIP', users: [{ username: 'bob' }, { username: 'carol', enabled: true }] }
  const imported = await kc.realms.partialImport({ realm, rep })
  assert.deepEqual([imported.added, imported.skipped], [1, 1])
  const exported = await kc.realms.export({ realm, exportClients: true, exportGroupsAndRoles: true })
  assert.ok(exported.clients.some((client) => client.clientId === 'tests'))
  assert.ok(exported.roles.realm.some((role) => role.name === 'user'))
})

test('whoever is no administrator is refused', async () => {
  const stranger = new KcAdminClient({ baseUrl, realmName: realm })
  await stranger.auth({ grantType: 'password', clientId: 'tests', username: 'alice', password: 'alice' })
  assert.equal((await refused(stranger.users.find({ realm }))).status, 403)
})

test('the realm goes with all that is in it', async () => {
  await administrator()
  await kc.realms.del({ realm })
  assert.equal(await kc.realms.findOne({ realm }), null)
})
