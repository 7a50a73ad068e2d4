'use strict';
// Tells keycloak-js whether this server's cookies are seen inside an app's page.
(async () => {
  const trial = () => {
    const name = 'vestibule-trial';
    const secure = location.protocol === 'https:' ? '; SameSite=None; Secure' : '';
    document.cookie = `${name}=1${secure}`;
    const seen = document.cookie.includes(name);
    document.cookie = `${name}=; Max-Age=0${secure}`;
    return seen;
  };
  // Where storage is kept apart for each site, a trial would succeed in the wrong place: the browser knows better.
  const seen = document.hasStorageAccess ? await document.hasStorageAccess().catch(trial) : trial();
  parent.postMessage(seen ? 'supported' : 'unsupported', '*');
})();
