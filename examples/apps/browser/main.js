// Sign in from an application that lives in the browser, with oidc-client-ts: code with PKCE, no secret.
import { UserManager } from 'oidc-client-ts'

const users = new UserManager({
  authority: import.meta.env.VITE_ISSUER ?? 'http://localhost:8080/realms/main',
  client_id: import.meta.env.VITE_CLIENT_ID ?? 'spa',
  redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: `${location.origin}/`,
  scope: 'openid profile email',
})

if (location.pathname === '/callback') {
  // The address holds a code that is good once: a reload must not bring it again.
  await users.signinCallback().catch(console.error)
  history.replaceState({}, '', '/')
}

const user = await users.getUser()
const button = document.createElement('button')
button.textContent = user ? 'Sign out' : 'Sign in'
button.onclick = () => (user ? users.signoutRedirect() : users.signinRedirect())
document.querySelector('#app').append(user ? `${user.profile.name}, ${user.profile.email} ` : '', button)
