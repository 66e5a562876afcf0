// Before the first paint: the theme that was chosen in this browser. Apart from the bundle, as that comes too late.
try {
  document.documentElement.dataset.theme = localStorage.getItem('cloudai.theme') ?? 'system';
} catch {
  // A browser that keeps nothing shows what the system says.
}
