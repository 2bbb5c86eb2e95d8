import type { Command } from 'commander';
import { CommandError } from '../terminal/command-error.ts';

const NOTES = `
With npm: npm run modferry -- publish tool.zip corp.example/tool@v1.2.3

The go command makes the zip, where GOPROXY=direct: go mod download -json prints
its path as "Zip". docs/private-modules.md has a workflow for CI.

The address is read from MODFERRY_URL where there is no --url.

Exit code: 0 the version is there with these bytes; 1 it is not.`;

interface Flags {
  readonly url?: string;
  readonly tokenEnv: string;
}

/** Adds the command `publish`. */
export function registerPublish(program: Command): void {
  program
    .command('publish')
    .description('Publishes the zip of a private module.')
    .argument('<zip>', 'the module zip, as the go command makes it')
    .argument('<module@version>', 'such as corp.example/tool@v1.2.3')
    .option('--url <address>', 'of modferry, such as https://go.example.com')
    .option(
      '--token-env <name>',
      'the variable of the environment with a token of scope publish',
      'MODFERRY_TOKEN',
    )
    .addHelpText('after', NOTES)
    .action(async (file: string, name: string, { tokenEnv: tokenVariable, url }: Flags) => {
      // Not needed for the help.
      const [{ publishZip }, { parseAddress, parseVersionName, URL_VARIABLE }] = await Promise.all([
        import('../publish/publish-zip.ts'),
        import('../publish/parse-publish.ts'),
      ]);
      const version = parseVersionName(name);
      if (!version.ok) throw new CommandError(version.reason, 1);
      const address = parseAddress(url ?? process.env[URL_VARIABLE]);
      if (!address.ok) throw new CommandError(address.reason, 1);
      const token = process.env[tokenVariable] ?? '';
      if (token === '') {
        const why = `Cannot publish without a token: put one of scope publish into ${tokenVariable}`;
        throw new CommandError(why, 1);
      }
      const options = { file, version: version.value, address: address.value };
      const published = await publishZip({ ...options, token, tokenVariable });
      if (!published.ok) throw new CommandError(published.reason, 1);
      console.log(published.value);
    });
}
