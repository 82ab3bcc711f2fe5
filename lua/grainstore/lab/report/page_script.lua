--- The script of a page: it shows one of the moments that the page holds as
-- data. Arrow keys step (with Shift by ten), Home and End go to the ends, the
-- space bar plays; a click into a plot goes to that moment. The part of the
-- address behind "#" is the number of the moment.
-- @module grainstore.lab.report.page_script

return [[
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const last = data.moments.length - 1;
  if (last < 1) return;
  const all = (where, what) => Array.from(where.querySelectorAll(what));
  const player = document.getElementById("player");
  const play = document.getElementById("play");
  const slider = document.getElementById("at");
  const now = document.getElementById("now");
  const cards = all(document, "article").map((card) => ({
    texts: all(card, "[data-text]"), bars: all(card, "[data-bar]"),
  }));
  const cursors = all(document, ".plots .cursor");
  const RUN_MS = 12000;
  let at = last, request = 0;

  function showCard(card, frame) {
    card.texts.forEach((place, i) => { place.textContent = frame.texts[i]; });
    card.bars.forEach((bar, i) => {
      bar.style.width = frame.bars[i][0] + "%";
      bar.style.setProperty("--n", frame.bars[i][1]);
    });
  }

  function show(moment) {
    at = Math.max(0, Math.min(last, moment));
    slider.value = at;
    slider.setAttribute("aria-valuetext", data.moments[at]);
    now.textContent = data.moments[at];
    cards.forEach((card, i) => showCard(card, data.policies[i][at]));
    for (const cursor of cursors) {
      cursor.setAttribute("x1", data.x[at]);
      cursor.setAttribute("x2", data.x[at]);
    }
  }

  function stop() {
    cancelAnimationFrame(request);
    request = 0;
    play.textContent = "Play";
  }

  function start() {
    const from = at === last ? 0 : at;
    let begin = null;
    function tick(time) {
      begin = begin === null ? time : begin;
      show(from + Math.floor((time - begin) / RUN_MS * (last + 1)));
      if (at < last) request = requestAnimationFrame(tick); else stop();
    }
    play.textContent = "Pause";
    request = requestAnimationFrame(tick);
  }

  const toggle = () => { if (request) stop(); else start(); };
  const go = (moment) => { stop(); show(moment); };

  const keys = {
    ArrowLeft: (step) => go(at - step), ArrowRight: (step) => go(at + step),
    Home: () => go(0), End: () => go(last), " ": toggle,
  };

  document.addEventListener("keydown", (event) => {
    const key = keys[event.key];
    const isButton = event.target === play && event.key === " ";
    if (!key || isButton || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    event.preventDefault();
    key(event.shiftKey ? 10 : 1);
  });

  function goToPlace(event) {
    if (event.buttons !== 1) return;
    const panel = event.currentTarget;
    const box = panel.getBoundingClientRect();
    const width = panel.viewBox.baseVal.width;
    const x = (event.clientX - box.left) / box.width * width;
    const after = data.x.findIndex((place) => place >= x);
    go(after < 0 ? last : after);
  }

  for (const panel of all(document, ".plots .panel")) {
    panel.addEventListener("pointerdown", goToPlace);
    panel.addEventListener("pointermove", goToPlace);
  }
  play.addEventListener("click", toggle);
  slider.addEventListener("input", () => go(Number(slider.value)));
  const goToAddress = () => {
    const moment = parseInt(location.hash.slice(1), 10);
    if (moment >= 1) go(moment - 1);
  };
  window.addEventListener("hashchange", goToAddress);
  window.addEventListener("beforeprint", stop);
  player.hidden = false;
  for (const plots of all(document, ".plots")) plots.classList.add("live");
  show(last);
  goToAddress();
})();
]]
