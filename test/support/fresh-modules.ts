/** A file that runs in a process where others ran before it gets modules of its own: the library as it starts. */
import { vi } from "vitest";

vi.resetModules();
