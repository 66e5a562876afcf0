// What a container was measured to use, and what that says of the request. Pure.

/** One look at a running container. */
export interface ContainerUsage {
  /** Milliseconds since the epoch, by the engine's clock. */
  readonly at: number;
  /** Processor time since its start, over all cores; milliseconds. */
  readonly cpuMs: number;
  /** Without the page cache that the kernel can take back; mebibytes. */
  readonly memoryMb: number;
  readonly networkReceivedBytes: number;
  readonly networkSentBytes: number;
}

/** Of a whole attempt. Peaks are peaks of samples: what was shorter than a sample may be missed. */
export interface AttemptUsage {
  readonly samples: number;
  /** Processor time in all, as of the last sample; milliseconds. */
  readonly cpuMs: number;
  /** Mean over the sampled time; thousandths of a core. */
  readonly cpuMeanMillis: number;
  readonly cpuPeakMillis: number;
  readonly memoryPeakMb: number;
  readonly networkReceivedBytes: number;
  readonly networkSentBytes: number;
}
