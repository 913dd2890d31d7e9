import { generateHybridIdentity, identityToRecipient } from 'age-encryption'
import { expect, test } from 'vitest'
import { ageDecrypt, ageEncrypt, newIdentity } from '../../src/record/age.ts'
import { recipientFault } from '../../src/record/age-recipient.ts'

test('recipients that age makes are fine, and a letter changed is not', async () => {
  for (let i = 0; i < 5; i++) {
    const { recipient } = await newIdentity()
    expect(recipientFault(recipient)).toBe(undefined)
    for (let at = 4; at < recipient.length; at++) {
      const other = recipient[at] === 'q' ? 'p' : 'q'
      const changed = recipient.substring(0, at) + other + recipient.substring(at + 1)
      expect(recipientFault(changed)).toMatch(/typing mistake/)
    }
  }
})

test('those of its post-quantum hybrid are fine too', async () => {
  const recipient = await identityToRecipient(await generateHybridIdentity())
  expect(recipientFault(recipient)).toBe(undefined)
  expect(recipientFault(`${recipient}q`)).toMatch(/typing mistake/)
})

test('anything else is not, and a secret key is called one', async () => {
  const { identity } = await newIdentity()
  expect(recipientFault(identity)).toMatch(/secret key/)
  for (const text of ['', 'age1', 'ssh-ed25519 AAAA', 'age1yubikey1qqqq', 'AGE1QQQ', 'bc1qqqq'])
    expect(recipientFault(text)).not.toBe(undefined)
})

test('what is encrypted to several opens for each of them and nobody else', async () => {
  const [ann, bob, eve] = [await newIdentity(), await newIdentity(), await newIdentity()]
  const file = await ageEncrypt(Buffer.from('secret'), [ann.recipient, bob.recipient])
  for (const { identity } of [ann, bob]) {
    const text = `# made by age-keygen\n\n${identity}\n`
    expect(Buffer.from(await ageDecrypt(file, text)).toString()).toBe('secret')
  }
  await expect(ageDecrypt(file, eve.identity)).rejects.toThrow()
})
