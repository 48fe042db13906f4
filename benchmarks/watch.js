// What a page is watched with: when it last changed in sight, and what it hears and says over the websocket.
// "Painted" is the second animation frame after the last change, shadow trees included: the browser has drawn it by then.
(() => {
  const watch = { begun: 0, painted: 0, plotted: 0, heard: 0, received: 0, sent: 0 };
  globalThis.watch = watch;
  // The sign that the script runs comes and goes by itself.
  const aside = "[data-testid=stHeader], [data-testid=stStatusWidget], [data-testid=stToolbar]";

  function changed(records) {
    const seen = records.filter(({ target, type, attributeName }) => {
      const element = target.nodeType === 1 ? target : target.parentElement;
      return !(element?.closest?.(aside) || (type === "attributes" && attributeName.startsWith("data-test-")));
    });
    if (!seen.length) return;
    const isPlot = seen.some(({ target }) => target.nodeType === 1 && target.closest(".js-plotly-plot"));
    watch.pending = true;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      watch.painted = performance.now();
      if (isPlot) watch.plotted = watch.painted;
      watch.pending = false;
    }));
  }

  const observer = new MutationObserver(changed);
  const everything = { subtree: true, childList: true, attributes: true, characterData: true };
  observer.observe(document, everything);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    observer.observe(root, everything);
    return root;
  };

  const Plain = globalThis.WebSocket;
  globalThis.WebSocket = class extends Plain {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => {
        watch.heard = performance.now();
        watch.received += data.byteLength ?? data.size ?? data.length;
      });
    }
    send(data) {
      watch.sent += data.byteLength ?? data.size ?? data.length;
      super.send(data);
    }
  };

  const begin = (event) => {
    watch.begun = event.timeStamp;
    watch.received = watch.sent = 0;
  };
  for (const kind of ["keydown", "pointerup"]) addEventListener(kind, begin, { capture: true });

  // Resolves when nothing has changed and nothing been heard for so many milliseconds while no script runs.
  watch.settled = (quiet) => new Promise((resolve) => {
    const look = () => {
      const app = document.querySelector("[data-testid=stApp]");
      const isIdle = app?.dataset.testScriptState === "notRunning" && !watch.pending;
      const still = performance.now() - Math.max(watch.painted, watch.heard, watch.begun);
      if (isIdle && still > quiet) resolve({ ...watch });
      else setTimeout(look, 20);
    };
    look();
  });
})();
