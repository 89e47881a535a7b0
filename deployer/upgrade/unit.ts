/** The unit that makes a release the deployer's code. */
export const upgradeUnit = (name: string): string => `deployer-upgrade@${name}.service`;
