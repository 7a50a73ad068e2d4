'use strict';
// Answers an app's question "CLIENT_ID SESSION_STATE" (OpenID Connect Session Management 1.0, section 3.2).
(() => {
  const cookie = document.documentElement.dataset.cookie + '=';
  const asked = new Map();

  const current = () => {
    const found = document.cookie.split('; ').find((pair) => pair.startsWith(cookie));
    return found ? found.slice(cookie.length) : '';
  };

  // Whether pages of this origin may ask for this client; the server is asked once for each.
  const mayAsk = (client, origin) => {
    const question = new URLSearchParams({ client_id: client, origin }).toString();
    if (!asked.has(question)) {
      const answer = fetch(`${location.pathname}/init?${question}`);
      asked.set(question, answer.then((response) => response.ok));
      answer.catch(() => asked.delete(question));
    }
    return asked.get(question);
  };

  const answer = async (question, origin) => {
    const end = typeof question === 'string' ? question.lastIndexOf(' ') : -1;
    if (end < 1) return 'error';
    try {
      if (!(await mayAsk(question.slice(0, end), origin))) return 'error';
    } catch {
      return 'error';
    }
    return question.slice(end + 1) === current() ? 'unchanged' : 'changed';
  };

  addEventListener('message', async ({ data, origin, source }) => {
    // A page without an origin of its own cannot be answered to it alone.
    if (source && origin.startsWith('http')) source.postMessage(await answer(data, origin), origin);
  });
})();
