// Inside a messenger its own script, loaded before this one, gives a code; our server asks whose it is.
// If anything fails, the form for the token is there, as it is everywhere else.

const { path, messenger, app, offline } = document.body.dataset;
const status = document.querySelector("[data-status]");

const codes = {
  // open.feishu.cn: requestAccess from client 6.9 on, errno 103 where it is not supported; before that, requestAuthCode.
  feishu: () =>
    new Promise((take, fail) => {
      const success = ({ code }) => take(code);
      const older = () => tt.requestAuthCode({ appId: app, success, fail });
      const newer = () =>
        tt.requestAccess({ appID: app, scopeList: [], success, fail: (error) => (error.errno === 103 ? older() : fail(error)) });
      h5sdk.error(fail);
      h5sdk.ready(() => (tt.requestAccess ? newer() : older()));
    }),
  // open.dingtalk.com: this form works in all clients, and needs no signed page.
  dingtalk: () =>
    new Promise((take, fail) => {
      const ask = { corpId: app, onSuccess: ({ code }) => take(code), onFail: fail };
      dd.ready(() => dd.runtime.permission.requestAuthCode(ask));
    }),
};

async function signOn() {
  const body = JSON.stringify({ code: await codes[messenger]() });
  const address = `${path}/sign-on/${messenger}${location.search}`;
  const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  if (answer.ok) return location.reload();
  status.textContent = (await answer.json()).error;
}

signOn().catch(() => {
  status.textContent = offline;
});
