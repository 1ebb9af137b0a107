/* Keeps the form's own files, so that it opens while the gateway cannot be reached. The newest
   comes from the gateway where it answers; what is asked and posted always goes there. */
"use strict";

const CACHE = "custody-form";
const WAIT_MS = 4000;

self.addEventListener("install", function (event) {
  event.waitUntil((async function () {
    const names = await (await fetch("/pages/files.json")).json();
    const cache = await caches.open(CACHE);
    await cache.addAll(["/form"].concat(names.map((name) => "/pages/" + name)));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", function (event) {
  const url = new URL(event.request.url);
  const ours = url.origin === self.location.origin && (url.pathname === "/form" || url.pathname.startsWith("/pages/"));
  if (event.request.method === "GET" && ours) event.respondWith(newest(event.request, url.pathname));
});

async function newest(request, path) {
  const cache = await caches.open(CACHE);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), WAIT_MS);
  try {
    const answer = await fetch(path, { signal: stop.signal, cache: "no-cache" });
    if (answer.ok) await cache.put(path, answer.clone());
    return answer;
  } catch (error) {
    return (await cache.match(path)) || Response.error();
  } finally {
    clearTimeout(timer);
  }
}
