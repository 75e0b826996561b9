// What is preloaded, and never is.
for (;;);
