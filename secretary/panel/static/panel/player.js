// Puts the panel's own controls on a recording, and ties the transcript to it. Without it the browser's controls show.
"use strict";

const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

const icons = document.querySelector(".icon use")?.getAttribute("href").split("#")[0] ?? "";

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${icons}#${name}`);
  svg.append(use);
  return { svg, show: (other) => use.setAttribute("href", `${icons}#${other}`) };
}

function player(root) {
  const audio = root.querySelector("audio");
  const bar = document.createElement("div");
  const toggle = document.createElement("button");
  const picture = icon("play");
  const seek = document.createElement("input");
  const shown = document.createElement("span");
  const speed = document.createElement("button");
  const failed = document.createElement("p");
  const speeds = [1, 1.25, 1.5, 2];
  bar.className = "player-bar";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", audio.getAttribute("aria-label"));
  toggle.type = "button";
  toggle.className = "toggle";
  toggle.setAttribute("aria-label", root.dataset.play);
  toggle.append(picture.svg);
  Object.assign(seek, { type: "range", min: 0, max: 0, step: 0.1, value: 0 });
  seek.setAttribute("aria-label", root.dataset.position);
  shown.className = "clock";
  speed.type = "button";
  speed.className = "speed";
  speed.textContent = "1×";
  speed.setAttribute("aria-label", `${root.dataset.speed} 1`);
  failed.className = "player-error";
  failed.setAttribute("role", "alert");
  failed.hidden = true;
  failed.textContent = root.dataset.failed;
  bar.append(toggle, seek, shown, speed);
  root.append(bar, failed);
  audio.controls = false;
  audio.hidden = true;

  const tell = () => {
    seek.max = Number.isFinite(audio.duration) ? audio.duration : 0;
    if (document.activeElement !== seek || !audio.paused) seek.value = audio.currentTime;
    shown.textContent = `${clock(audio.currentTime)} / ${clock(audio.duration)}`;
    seek.setAttribute("aria-valuetext", clock(audio.currentTime));
  };
  const state = () => {
    picture.show(audio.paused ? "play" : "pause");
    toggle.setAttribute("aria-label", audio.paused ? root.dataset.play : root.dataset.pause);
  };
  const play = () => audio.play().catch(() => { failed.hidden = false; });
  toggle.addEventListener("click", () => (audio.paused ? play() : audio.pause()));
  seek.addEventListener("input", () => { audio.currentTime = Number(seek.value); });
  speed.addEventListener("click", () => {
    audio.playbackRate = speeds[(speeds.indexOf(audio.playbackRate) + 1) % speeds.length];
    speed.textContent = `${audio.playbackRate}×`;
    speed.setAttribute("aria-label", `${root.dataset.speed} ${audio.playbackRate}`);
  });
  for (const name of ["timeupdate", "loadedmetadata", "durationchange", "seeked"]) audio.addEventListener(name, tell);
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, state);
  audio.addEventListener("error", () => { failed.hidden = false; });
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
  });
  tell();
  return { audio, play };
}

const players = [...document.querySelectorAll("[data-player]")].map(player);

// The transcript: a time starts the recording there, and what is heard is marked.
const turns = [...document.querySelectorAll("[data-start]")];
if (players.length === 1 && turns.length) {
  const { audio, play } = players[0];
  const lanes = document.querySelector("[data-lanes]");
  for (const button of document.querySelectorAll("[data-seek]")) {
    button.disabled = false;
    button.addEventListener("click", () => { audio.currentTime = button.dataset.seek / 1000; play(); });
  }
  audio.addEventListener("timeupdate", () => {
    const now = audio.currentTime * 1000;
    for (const turn of turns) {
      turn.classList.toggle("playing", !audio.paused && now >= turn.dataset.start && now < turn.dataset.end);
    }
    for (const head of lanes?.querySelectorAll(".playhead") ?? []) head.setAttribute("x", (1000 * now) / lanes.dataset.lanes);
  });
}
