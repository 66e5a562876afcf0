// What Docker itself says, for tests that do not take the system's word.

import Docker from 'dockerode';

const docker = new Docker();

/** All containers of a task, ended ones included. */
export async function containersOf(taskId: string): Promise<{ id: string; state: string }[]> {
  const found = await docker.listContainers({ all: true, filters: { label: [`cloudai.task=${taskId}`] } });
  return found.map(({ Id, State }) => ({ id: Id, state: State }));
}

/** Names of the volumes that were made for a task. */
export async function volumesOf(taskId: string): Promise<string[]> {
  const filters = JSON.stringify({ label: [`cloudai.task=${taskId}`] });
  const { Volumes } = await docker.listVolumes({ filters: filters as never });
  return (Volumes ?? []).map(({ Name }) => Name);
}

export async function inspectContainer(id: string): Promise<Docker.ContainerInspectInfo> {
  return docker.getContainer(id).inspect();
}

/** Makes `image` present under another name for the length of a test, unless it is there already. */
export async function borrowImageName(image: string, as: string): Promise<() => Promise<void>> {
  const there = await docker
    .getImage(as)
    .inspect()
    .then(() => true)
    .catch(() => false);
  if (there) return async () => undefined;
  const [repo = as, tag = 'latest'] = as.split(':');
  await docker.getImage(image).tag({ repo, tag });
  return async () => {
    await docker.getImage(as).remove({ noprune: true });
  };
}
