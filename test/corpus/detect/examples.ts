/**
 * Pure. What each detector must find, and what it must leave; `«…»` encloses what is hidden. Numbers
 * are those that their issuers publish as examples. Credentials stand in `example-secrets.ts`.
 */
import type { Examples } from '../../lib/detector-examples.ts'
import { SECRETS } from './example-secrets.ts'

/** Those with a file of their own have their examples in its test. */
export const EXAMPLES: Readonly<Record<string, Examples>> = {
  card_track: {
    hits: [
      '«;4111111111111111=29051010000000000000?»',
      'read %«B4111111111111111^DOE/JANE^29051010000?»',
    ],
    passes: [';4111111111111112=29051010000?', 'B4111^DOE/JANE^2905'],
  },
  us_bank_routing: {
    hits: ['routing number «021000021»', 'ABA: «011401533»', '{"aba_no":"«121000358»"}'],
    passes: ['021000021', 'routing number 021000022', 'routing 1021000021'],
  },
  bitcoin_address: {
    hits: [
      'pay to «1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa»',
      '«bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4»',
      '«3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy»',
      '«bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0»',
    ],
    passes: [
      '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb',
      'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5',
      'bc1 is a prefix',
    ],
  },
  ca_sin: {
    hits: ['SIN «130 692 544»', 'social insurance: «130692544»'],
    passes: ['SIN 130 692 545', 'order 130 692 544', '946454286'],
  },
  br_cpf: {
    hits: ['«111.444.777-35»', '«529.982.247-25»', 'CPF «52998224725»'],
    passes: ['111.444.777-36', '111.111.111-11', '52998224725'],
  },
  cl_rut: {
    hits: ['«12.345.678-5»', 'RUT «12345678-5»', '«11.111.111-1»'],
    passes: ['12.345.678-6', '12345678-5'],
  },
  ar_cuil: {
    hits: ['«20-12345678-6»', 'CUIT «20123456786»'],
    passes: ['20-12345678-5', '20123456786', '21-12345678-6'],
  },
  mx_curp: {
    hits: ['«BOXW310820HNERXN09»', 'CURP: «boxw310820hnerxn09»'],
    passes: ['BOXW310820HNERXN08', 'BOXW319920HNERXN09'],
  },
  uk_nino: {
    hits: ['«AB 12 34 56 C»', '«AB123456C»', 'NI number «ab123456c»'],
    passes: ['GB123456C', 'AB123456E', 'DA123456C', 'ab123456c'],
  },
  ie_pps: {
    hits: ['«1234567T»', 'PPSN «1234567FA»'],
    passes: ['1234567A', '12345678T', '1234567t'],
  },
  fr_nir: {
    hits: ['«2 55 08 14 168 025 38»', '«255081416802538»'],
    passes: ['255081416802539', '2 55 13 14 168 025 38', '55 08 14 168 025 38'],
  },
  de_tax_id: {
    hits: ['«86 095 742 719»', 'IdNr «86095742719»', 'Steuer-ID: «36574261809»'],
    passes: ['86095742719', 'IdNr 86095742718', 'IdNr 11111111111'],
  },
  nl_bsn: {
    hits: ['BSN «111222333»', '«1112.22.333»', 'burgerservicenummer: «123456782»'],
    passes: ['111222333', 'BSN 111222334'],
  },
  be_national_number: {
    hits: ['«93.05.18-223.61»', 'NISS «85073003328»'],
    passes: ['93.05.18-223.62', '93.13.18-223.61'],
  },
  ch_ahv: {
    hits: ['«756.9217.0769.85»', '«7569217076985»'],
    passes: ['756.9217.0769.84', '757.9217.0769.85'],
  },
  at_svnr: {
    hits: ['«1237 010180»', 'SVNR «1237010180»'],
    passes: ['1238 010180', '1237 320180', '1237010180'],
  },
  es_dni: {
    hits: ['«12345678Z»', '«X1234567L»', 'dni «12345678z»', '«12345678-Z»'],
    passes: ['12345678A', 'X1234567M', '112345678Z', '12345678z'],
  },
  it_codice_fiscale: {
    hits: ['«RSSMRA85T10A562S»', 'cf: «rssmra85t10a562s»'],
    passes: ['RSSMRA85T10A562T', 'RSSMRA85Z10A562S'],
  },
  pl_pesel: {
    hits: ['PESEL «44051401359»', 'pesel: «02070803628»'],
    passes: ['44051401359', 'PESEL 44051401358', 'PESEL 44131401359'],
  },
  pt_nif: {
    hits: ['NIF «123456789»', 'contribuinte «501 964 843»'],
    passes: ['123456789', 'NIF 123456788'],
  },
  ro_cnp: { hits: ['CNP «1800101221144»'], passes: ['1800101221144', 'CNP 1800101221145'] },
  cz_rodne_cislo: {
    hits: ['«710319/2745»', 'rodné číslo «7103192745»'],
    passes: ['710319/2746', '711319/2745'],
  },
  tr_tckn: {
    hits: ['TCKN «10000000146»', 'TC Kimlik No: «10000000146»'],
    passes: ['10000000146', 'TCKN 10000000147'],
  },
  se_personnummer: {
    hits: ['«811228-9874»', '«19811228-9874»', 'personnummer «8112289874»'],
    passes: ['811228-9875', '811328-9874', 'CPR 811228-9874'],
  },
  fi_hetu: { hits: ['«131052-308T»', '«131052A308T»'], passes: ['131052-308U', '321052-308T'] },
  no_fodselsnummer: {
    hits: ['«15108695088»', 'fnr «151086 95088»'],
    passes: ['15108695089', '15138695088', 'PESEL 15108695088'],
  },
  dk_cpr: {
    hits: ['CPR «070761-4285»', 'CPR-nummer: «0707614285»'],
    passes: ['070761-4285', 'CPR 311361-4285'],
  },
  in_aadhaar: {
    hits: ['Aadhaar «9999 4105 7058»', 'aadhaar_number: «999941057058»'],
    passes: ['9999 4105 7058', 'Aadhaar 9999 4105 7059'],
  },
  in_pan: {
    hits: ['«ABCPE1234F»', 'PAN: «AAACB5343E»'],
    passes: ['ABCDE1234F', 'ABCPE0000F', 'abcpe1234f'],
  },
  cn_resident_id: {
    hits: ['«11010519491231002X»', '身份证号 «11010519491231002x»'],
    passes: ['110105194912310021', '11010519491331002X'],
  },
  kr_rrn: {
    hits: ['«900101-1234568»', 'RRN «9001011234568»'],
    passes: ['900101-1234567', '901301-1234568', '9001011234568'],
  },
  jp_my_number: {
    hits: ['マイナンバー «123456789018»', 'My Number: «1234 5678 9018»'],
    passes: ['123456789018', 'My Number 123456789019'],
  },
  sg_nric: {
    hits: ['«S1234567D»', 'nric «s1234567d»'],
    passes: ['S1234567E', 's1234567d', 'S1234567DX'],
  },
  hk_id: { hits: ['«A123456(3)»', 'HKID «A1234563»'], passes: ['A123456(4)', 'A1234563'] },
  au_tfn: {
    hits: ['TFN «123 456 782»', 'tax file number «123456782»'],
    passes: ['123 456 782', 'TFN 123 456 783'],
  },
  za_id: {
    hits: ['«8001015009087»', '«800101 5009 087»'],
    passes: ['8001015009088', '8013015009087'],
  },
  passport_mrz: {
    hits: ['«L898902C36UTO7408122F1204159ZE184226B<<<<<10»'],
    passes: [
      'L898902C37UTO7408122F1204159ZE184226B<<<<<10',
      'L898902C36UTO7408122F1204158ZE184226B<<<<<10',
    ],
  },
  imei: {
    hits: ['IMEI «490154203237518»', '«49-015420-323751-8»'],
    passes: ['490154203237518', 'IMEI 490154203237517'],
  },
  uk_nhs_number: {
    hits: ['NHS number «943 476 5919»', 'NHS no: «9434765919»', '{"nhsNumber":"«9434765919»"}'],
    passes: ['943 476 5919', '9434765919', 'NHS 943 476 5918', 'order 9434765919'],
  },
  us_mbi: {
    hits: ['«1EG4-TE5-MK73»', 'MBI «1EG4TE5MK73»'],
    passes: ['1EG4-TE5-MK7', '0EG4-TE5-MK73', '1BG4-TE5-MK73'],
  },
  us_npi: {
    hits: ['NPI «1234567893»', 'provider: «1245319599»'],
    passes: ['1234567893', 'NPI 1234567890'],
  },
  us_dea: {
    hits: ['DEA «AB1234563»', 'DEA number: «F91234563»'],
    passes: ['AB1234563', 'DEA AB1234560'],
  },
  au_medicare: {
    hits: ['«2428 77813 2»', 'Medicare «2428778132»'],
    passes: ['2428 77814 2', '2428778132', '1428 77813 2'],
  },
  de_health_insurance: {
    hits: ['KVNR «A123456780»', 'Versichertennummer: «A123456780»'],
    passes: ['A123456780', 'KVNR A123456781'],
  },
  phone: {
    hits: [
      '«+1 415-234-5678»',
      'call «(415) 234-5678» now',
      '«415-234-5678»',
      'T: «+44 20 7946 0958».',
      '«01 42 68 53 00»',
      'Tel. «030 123456»',
      'mobile: «07700 900 123»',
      '«+49 30 901820»',
    ],
    passes: [
      'order 415-234-5678',
      '123-45-6789',
      '2024-05-12',
      '030 123456',
      '1,234,567',
      '+12 345',
      '4111 1111 1111 1111',
      '0x12345678',
    ],
  },
  street_address: {
    hits: [
      'lives at «221B Baker Street»',
      '«1600 Pennsylvania Avenue» NW',
      '«P.O. Box 1234»',
      '«Lindenstraße 12»',
      '«12 rue Victor Hugo»',
    ],
    passes: ['12 Street', 'Baker Street', '20 Main points', 'Chapter 12', '5 star way'],
  },
  ipv4: {
    hits: ['from «10.0.0.5»:5432', '«192.0.2.1»', 'host «203.0.113.77», port 22'],
    passes: ['version 10.0.19041.1', '1.2.3', '256.1.1.1', '1.2.3.4.5', 'v1.2.3.4', '01.2.3.4'],
  },
  ipv6: {
    hits: [
      '«2001:db8::8a2e:370:7334»',
      '«fe80::1ff:fe23:4567:890a»',
      'addr «2001:0db8:85a3:0000:0000:8a2e:0370:7334».',
      '«fd00:1::1»',
    ],
    passes: [
      'std::vector',
      '10:11:12',
      'dead::beef::1',
      'aa:bb:cc:dd:ee:ff',
      'cafe::add',
      '2001:db8',
    ],
  },
  mac_address: {
    hits: ['«00:1a:2b:3c:4d:5e»', '«00-1A-2B-3C-4D-5E»', '«001a.2b3c.4d5e»'],
    passes: [
      '00:1a:2b:3c:4d',
      '00:00:00:00:00:00',
      '00:1a:2b:3c:4d:5e:6f',
      '10-11-12-13-14-15',
      '2024-05-12',
    ],
  },
  ...SECRETS,
}
